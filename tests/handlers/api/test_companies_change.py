"""`POST /companies`: many changes of the list of companies, and what became of each."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from handlers.api.support.pagination import encode_cursor
from handlers.common.problems import Problem
from handlers.companies import changes
from handlers.companies.models import AddCompany, RenameCompany
from schema.dynamodb import decode, encode
from schema.names import COMPANY_NAME_EXPECTED
from tests.handlers.api.harness import NAMES, Api, Response, User

TABLE = NAMES["COMPANIES_TABLE"]
EXPECTED = COMPANY_NAME_EXPECTED
ALL = {"limit": "1000", "latest": "false"}
ONCE = "a company that is in no other change"


@pytest.fixture
def name() -> str:
    return f"Company {uuid.uuid4()}"


def change(user: User, *sent: dict[str, Any]) -> Response:
    return user("companies_change", body={"changes": list(sent)})


def results(user: User, *sent: dict[str, Any]) -> list[str]:
    response = change(user, *sent)
    assert response.status == 200, response
    return [one["result"] for one in response.json["results"]]


def add(name: str, **more: Any) -> dict[str, Any]:
    return {"action": "add", "name": name, **more}


def put(name: str, page: str | None = None) -> dict[str, Any]:
    return {"action": "put", "name": name, "page": page}


def rename(name: str, new_name: str) -> dict[str, Any]:
    return {"action": "rename", "name": name, "new_name": new_name}


def remove(name: str) -> dict[str, Any]:
    return {"action": "remove", "name": name}


def stored(api: Api, name: str) -> dict[str, Any] | None:
    item = api.dynamodb.get_item(TableName=TABLE, Key=encode({"name": name}), ConsistentRead=True).get("Item")
    return decode(item) if item else None


def store(api: Api, name: str, **more: str) -> dict[str, Any]:
    item = {"name": name, "added_at": "2020-01-01T00:00:00Z", **more}
    api.dynamodb.put_item(TableName=TABLE, Item=encode(item))
    return item


def test_results_are_in_the_order_of_the_changes_under_the_stored_names(ann: User, name: str) -> None:
    composed = f"{name} é"
    response = change(ann, add(f" {unicodedata.normalize('NFD', composed)} "), remove(name), add(f"{name} 2"))
    assert response.json["results"] == [
        {"name": composed, "result": "added"},
        {"name": name, "result": "missing"},
        {"name": f"{name} 2", "result": "added"},
    ]


def test_a_company_that_is_there_stays_as_it_is_when_it_is_added(api: Api, ann: User, name: str) -> None:
    before = store(api, name, page="Its page")
    assert results(ann, add(name), add(f"{name} new", page="New page")) == ["unchanged", "added"]
    assert stored(api, name) == before
    added = stored(api, f"{name} new")
    assert added == {
        "name": f"{name} new",
        "page": "New page",
        "added_at": added and added["added_at"],
        "added_by": ann.sub,
    }
    assert results(ann, put(f"{name} put", "Page")) == ["added"]
    assert (stored(api, f"{name} put") or {})["added_by"] == ann.sub


def test_a_page_is_set_changed_and_taken_away_and_the_time_stays(api: Api, ann: User, name: str) -> None:
    before = store(api, name)
    assert results(ann, put(name, "Page")) == ["updated"]
    assert stored(api, name) == {**before, "page": "Page"}
    assert results(ann, put(name, "Page")) == ["unchanged"]
    assert results(ann, put(name), put(f"{name} new", "Page")) == ["updated", "added"]
    assert stored(api, name) == before
    assert (stored(api, f"{name} new") or {})["page"] == "Page"


def test_a_renamed_company_keeps_all_but_its_name(api: Api, ann: User, name: str) -> None:
    before = store(api, name, page="Page", note="Kept")
    assert results(ann, rename(name, f"{name} new")) == ["renamed"]
    assert stored(api, name) is None
    assert stored(api, f"{name} new") == {**before, "name": f"{name} new"}


def test_nothing_is_renamed_to_a_name_that_is_taken_or_from_one_that_is_missing(api: Api, ann: User, name: str) -> None:
    before = store(api, name), store(api, f"{name} taken", page="Page")
    assert results(ann, rename(name, f"{name} taken")) == ["taken"]
    assert results(ann, rename(f"{name} missing", f"{name} new"), rename(name, name)) == ["missing", "unchanged"]
    assert (stored(api, name), stored(api, f"{name} taken")) == before


def test_a_repeated_request_does_no_harm(api: Api, ann: User, name: str) -> None:
    store(api, f"{name} old")
    store(api, f"{name} gone")
    sent = [add(name), put(f"{name} put", "P"), rename(f"{name} old", f"{name} new"), remove(f"{name} gone")]
    assert results(ann, *sent) == ["added", "added", "renamed", "removed"]
    before = [stored(api, f"{name}{ending}") for ending in ("", " put", " new", " old", " gone")]
    assert results(ann, *sent) == ["unchanged", "unchanged", "missing", "missing"]
    assert [stored(api, f"{name}{ending}") for ending in ("", " put", " new", " old", " gone")] == before


def test_a_hundred_changes_fit_in_a_request_and_no_more(api: Api, ann: User, name: str) -> None:
    names = [f"{name} {number}" for number in range(101)]
    assert results(ann, *map(add, names[:100])) == ["added"] * 100
    refused = change(ann, *map(remove, names))
    assert (refused.status, refused.wrong) == (413, ["changes"])
    assert results(ann, *map(remove, names[:100])) == ["removed"] * 100
    assert not any(stored(api, one) for one in names)


def test_all_that_is_wrong_is_named_and_then_nothing_is_changed(api: Api, ann: User, name: str) -> None:
    response = change(
        ann,
        add(name),
        add("two\nlines"),
        put(f"{name} 2", "x" * 201),
        rename(f"{name} 3", " "),
        remove(""),
        remove(f" {name}"),
        rename(f"{name} 4", f"{name} 2"),
    )
    assert (response.status, response.problem) == (422, "invalid-fields")
    assert {one["field"]: one["expected"] for one in response.json["errors"]} == {
        "changes[1].name": EXPECTED,
        "changes[2].page": EXPECTED,
        "changes[3].new_name": EXPECTED,
        "changes[4].name": EXPECTED,
        "changes[5].name": ONCE,
        "changes[6].new_name": ONCE,
    }
    assert stored(api, name) is None


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "A"}, "changes[0].action"),
        ({"action": "delete", "name": "A"}, "changes[0].action"),
        ({"action": "add"}, "changes[0].name"),
        ({"action": "remove", "name": "A", "page": "P"}, "changes[0].page"),
        ({"action": "add", "name": 1}, "changes[0].name"),
    ],
)
def test_what_is_no_change_is_named(ann: User, sent: dict[str, Any], field: str) -> None:
    response = change(ann, sent)
    assert (response.status, response.wrong) == (422, [field])


@pytest.mark.parametrize("old", ["two\nlines", "clear\x1b[2J", "delete\x7f"])
def test_companies_from_before_the_rule_are_listed_renamed_and_removed(
    api: Api, ann: User, name: str, old: str
) -> None:
    old = f"{old} {name}"
    store(api, old)
    assert old in {company["name"] for company in ann.ok("companies_list", query=ALL)["companies"]}
    ann.ok("companies_list", query={"cursor": encode_cursor("companies", old) or ""})
    assert results(ann, rename(old, name)) == ["renamed"]
    store(api, old)
    assert results(ann, remove(old)) == ["removed"]
    assert stored(api, old) is None
    assert stored(api, name)


def test_what_others_do_at_the_same_time_is_not_overwritten(api: Api, ann: User, name: str) -> None:
    made = changes.CompanyChanges(api.dynamodb, TABLE)
    for sent in (AddCompany(name, "Mine"), RenameCompany(f"{name} old", name)):
        with patch.object(made, "_read", return_value={f"{name} old": encode(store(api, f"{name} old"))}):
            before = store(api, name, page="Theirs")
            [result] = made.make([sent], "ann")
        assert result.result == ("unchanged" if isinstance(sent, AddCompany) else "taken")
        assert stored(api, name) == before
    with patch.object(made, "_read", return_value={name: encode({"name": name})}):
        assert results(ann, remove(name)) == ["removed"]
        [result] = made.make([RenameCompany(name, f"{name} new")], "ann")
    assert (result.result, stored(api, f"{name} new")) == ("missing", None)


def test_more_renames_than_fit_in_a_transaction_are_made_one_by_one(api: Api, ann: User, name: str) -> None:
    names = [f"{name} {number}" for number in range(51)]
    assert results(ann, *map(add, names)) == ["added"] * 51
    renamed = results(ann, *(rename(one, f"{one} new") for one in names))
    assert renamed == ["renamed"] * 51
    assert stored(api, f"{names[50]} new")
    assert stored(api, names[50]) is None


class Failing:
    """A DynamoDB client that leaves keys unread, or cancels transactions that write the company `Fails`."""

    def __init__(self, unread: int = 0, code: str = "") -> None:
        self.unread, self.code, self.reads, self.written = unread, code, 0, 0

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        self.reads += 1
        if self.reads <= self.unread:
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
        return {"Responses": {TABLE: []}}

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        names = [action["Put"]["Item"]["name"]["S"] for action in request["TransactItems"]]
        if "Fails" in names:
            reasons = [{"Code": self.code if name == "Fails" else "None"} for name in names]
            answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(answer, "TransactWriteItems")
        self.written += len(names)
        return {}


@pytest.fixture
def quick() -> Iterator[None]:
    with patch("schema.retry.Backoff.pause", return_value=0):
        yield


@pytest.mark.usefixtures("quick")
def test_keys_that_were_not_read_are_read_again_and_never_taken_for_missing_companies() -> None:
    client = Failing(unread=2)
    assert changes.CompanyChanges(client, TABLE).make([AddCompany("A")], "ann")[0].result == "added"
    with pytest.raises(TimeoutError):
        changes.CompanyChanges(client := Failing(unread=99), TABLE).make([AddCompany("A")], "ann")
    assert client.written == 0


def test_a_failed_write_fails_the_request_after_the_others_have_ended(api: Api, ann: User) -> None:
    client = Failing(code="ThrottlingError")
    with patch.object(api.modules["companies_change"].companies, "_dynamodb", client):
        response = change(ann, add("A"), add("Fails"), add("B"))
    assert (response.status, response.problem) == (429, "too-many-requests")
    assert response.headers["retry-after"] == "1"
    assert client.written == 2


def test_wrong_changes_are_refused_before_anything_is_read() -> None:
    with pytest.raises(Problem):
        changes.CompanyChanges(None, TABLE).make([AddCompany("\x00")], "ann")


def test_a_long_page_has_a_thousand_companies_without_their_observations(ann: User, name: str) -> None:
    names = [f"{name} {number}" for number in range(150)]
    for start in (0, 100):
        change(ann, *map(add, names[start : start + 100]))
    page = ann.ok("companies_list", query=ALL)
    assert len(page["companies"]) > 100
    assert not any("latest" in company for company in page["companies"])
    refused = ann("companies_list", query={"limit": "101"})
    assert (refused.status, refused.wrong) == (422, ["limit"])
    assert ann("companies_list", query={"limit": "1001", "latest": "false"}).wrong == ["limit"]
