"""Companies: the list that is watched, and what was observed of it."""

from __future__ import annotations

import contextlib
import unicodedata
import uuid
from typing import Any
from unittest.mock import Mock
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.common.problems import Problem
from handlers.companies.names import name_in_path
from handlers.companies.watchlist import READS, WatchList
from schema.dynamodb import encode
from schema.names import is_company_name
from tests.handlers.api.harness import NAMES, Api, User


def path_at_gateway(name: str) -> str:
    """What API Gateway makes of a name that a client percent-encoded: everything is decoded but `%25`."""
    return name.replace("%", "%25")


def observe(api: Api, company: str, record: str, **more: Any) -> None:
    run = more.pop("run", record)
    item = {
        "company": company,
        "record": record,
        "run": run,
        "observed_at": "2026-11-21T06:52:00Z",
        "label": "POSITIVE",
        "language": "en",
        "revision": "r1",
        "unchanged": False,
        "snippet": "It is",
        "object": "sentiment/x.csv",
    }
    scores = {name: {"N": "0.25"} for name in ("positive", "negative", "neutral", "mixed")}
    api.dynamodb.put_item(TableName=NAMES["OBSERVATIONS_TABLE"], Item=encode({**item, **more}) | scores)


@pytest.fixture
def name() -> str:
    return f"Company {uuid.uuid4()}"


@pytest.mark.parametrize(
    "ending", ["", " A/S", " 🎵", " 100%", " 100%41", " Ünïcödé", " a+b&c=d #1;x", "?", " \\ \" '"]
)
def test_a_company_is_put_read_changed_and_deleted_whatever_its_name(ann: User, name: str, ending: str) -> None:
    name += ending
    path = path_at_gateway(name).replace("?", "%253F")
    created = ann("company_put", path, body={"page": "Its page"})
    assert created.status == 201
    assert created.json["name"] == name
    again = ann("company_put", path, body={})
    assert (again.status, again.json["page"]) == (200, None)
    assert again.json["added_at"] == created.json["added_at"]
    found = ann.ok("company_get", path)
    assert found == {**again.json, "latest": None, "history": [], "next": None}
    assert ann("company_delete", path).status == 204
    assert ann("company_delete", path).status == 404
    assert ann("company_get", path).status == 404


def test_a_company_stays_as_old_as_it_is(api: Api, ann: User, name: str) -> None:
    item = encode({"name": name, "page": "Old", "added_at": "2020-01-01T00:00:00Z"})
    api.dynamodb.put_item(TableName=NAMES["COMPANIES_TABLE"], Item=item)
    # Nobody knows who added it, and whoever changes it has not.
    company = {"name": name, "page": "New", "added_at": "2020-01-01T00:00:00Z", "added_by": None}
    assert ann.ok("company_put", name, body={"page": "New"}) == company
    assert company.items() <= ann.ok("company_get", name).items()


def test_a_company_says_who_added_it(ann: User, bob: User, name: str) -> None:
    assert ann.ok("company_put", name, body={"page": "One"})["added_by"] == ann.sub
    assert bob.ok("company_put", name, body={"page": "Two"})["added_by"] == ann.sub
    assert bob.ok("company_get", name)["added_by"] == ann.sub


def test_equal_names_are_one_company(ann: User, name: str) -> None:
    composed = f"{name} é"
    ann.ok("company_put", unicodedata.normalize("NFD", f" {composed} "), body={})
    assert ann.ok("company_get", composed)["name"] == composed


@pytest.mark.parametrize("bad", ["%20", " ", "x" * 201])
def test_names_that_cannot_be_are_refused(ann: User, bad: str) -> None:
    for script, body in (("company_get", None), ("company_put", {}), ("company_delete", None)):
        response = ann(script, bad, body=body)
        assert (response.status, response.wrong) == (422, ["name"])


@pytest.mark.parametrize("bad", ["a\x00", "a\nb", "a\ufffe", "%2500x\x01", "a\x9f", "a\u200b", "..", "a/./b"])
def test_names_that_can_only_be_old_are_not_given_anew(api: Api, ann: User, bad: str) -> None:
    refused = ann("company_put", bad, body={})
    assert (refused.status, refused.wrong) == (422, ["name"])
    for script in ("company_get", "company_delete"):
        assert ann(script, bad).status == 404
    api.dynamodb.put_item(TableName=NAMES["COMPANIES_TABLE"], Item=encode({"name": unquote(bad)}))
    assert ann.ok("company_get", bad)["name"] == unquote(bad)
    assert ann("company_delete", bad).status == 204


@pytest.mark.parametrize("page", ["..", "a\u200b", "\U000e0041", "a\n"])
def test_pages_that_cannot_be_are_refused(ann: User, name: str, page: str) -> None:
    refused = ann("company_put", name, body={"page": page})
    assert (refused.status, refused.wrong) == (422, ["page"])


@given(st.text(min_size=1, max_size=200))
def test_any_valid_name_survives_the_path(text: str) -> None:
    name = unicodedata.normalize("NFC", text.strip())
    if not is_company_name(name) or "%3F" in name:
        return
    sent_and_decoded = path_at_gateway(name).replace("?", "%253F")
    assert name_in_path(f"/prod/companies/{sent_and_decoded}") == name
    assert name_in_path(f"/companies/{quote(name, safe='')}") == name


@given(st.text())
@settings(max_examples=300)
def test_no_path_is_a_surprise(path: str) -> None:
    with contextlib.suppress(Problem):
        assert is_company_name(name_in_path(f"/companies/{path}"))


def test_all_companies_are_listed_page_by_page_with_what_was_observed_last(api: Api, ann: User, name: str) -> None:
    created = [f"{name} {number}" for number in range(130)]
    for company in created:
        ann.ok("company_put", company, body={})
    observe(api, created[3], "latest", run="20261121T065200Z-00000001")
    found: dict[str, Any] = {}
    query: dict[str, str] = {"limit": "50"}
    while True:
        page = ann.ok("companies_list", query=query)
        assert len(page["companies"]) <= 50
        found |= {company["name"]: company["latest"] for company in page["companies"]}
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert set(created) <= set(found)
    assert found[created[3]]["run"] == "20261121T065200Z-00000001"
    assert found[created[4]] is None


def unread(answers: int) -> Mock:
    """A DynamoDB with a company whose observation it leaves unread in its first answers."""
    item = {"company": "a", "record": "latest", "run": "r", "observed_at": "2026-11-21T06:52:00Z", "label": "MIXED"}
    key = encode({"company": "a", "record": "latest"})
    refused = {"Responses": {}, "UnprocessedKeys": {"observations": {"Keys": [key]}}}
    read = {"Responses": {"observations": [encode(item)]}}
    return Mock(
        **{
            "scan.return_value": {"Items": [encode({"name": "a"})]},
            "batch_get_item.side_effect": [*[refused] * answers, read],
        }
    )


def test_observations_left_unread_are_read_again_after_a_pause() -> None:
    pauses: list[float] = []
    page, _ = WatchList(unread(READS.attempts - 1), "companies", "observations", pauses.append).page(10, None)
    assert page.companies[0].latest
    assert page.companies[0].latest.label == "MIXED"
    assert len(pauses) == READS.attempts - 1


def test_observations_that_stay_unread_are_no_answer(api: Api, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    watch_list = WatchList(unread(READS.attempts), "companies", "observations", lambda _: None)
    monkeypatch.setattr(api.modules["companies_list"], "watch_list", watch_list)
    response = ann("companies_list")
    assert (response.status, response.problem) == (503, "unavailable")


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 25])
def test_history_comes_newest_first_page_by_page_after_the_latest(api: Api, ann: User, name: str, count: int) -> None:
    ann.ok("company_put", name, body={})
    runs = [f"20261121T0652{number:02}Z-0000000a" for number in range(count)]
    for run in runs:
        observe(api, name, run)
    if runs:
        observe(api, name, "latest", run=runs[-1])
    first = ann.ok("company_get", name, query={"limit": "10"})
    assert (first["latest"] or {}).get("run") == (runs[-1] if runs else None)
    found, page = list(first["history"]), first
    while page["next"]:
        assert len(page["history"]) == 10
        page = ann.ok("company_get", name, query={"limit": "10", "cursor": page["next"]})
        assert "latest" not in page
        found += page["history"]
    assert [observation["run"] for observation in found] == runs[::-1]
    assert all(observation["positive"] == 0.25 for observation in found)
