"""The text source answers as Wikipedia's Action API does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.aws.action_api import API_PATH
from local.aws.request_limits import Limits
from local.aws.text_pages import Page, canonical
from local.aws.text_source import Answer, TextFault, TextSource

STARTING_NAMES = ["facebook", "amazon", "netflix", "google", "microsoft", "ibm", "oracle", "spotify", "nvidia"]
QUERY = {"action": "query", "format": "json", "formatversion": "2", "redirects": "1"}
WITH_CONTACT = {"user-agent": "CloudNLP/1.0 (ops@example.com)"}


@pytest.fixture
def source() -> TextSource:
    pages = [
        Page("Acme & Söhne", "Acme makes anvils."),
        Page("24/7 Company", "It never sleeps."),
        Page("Apple", "Apple may refer to:", type="disambiguation", links=("Apple Inc.", "Apple (fruit)")),
    ]
    return TextSource(pages, {"Acme": "Acme & Söhne", "Acme Inc.": "Acme", "Ring": "Rang", "Rang": "Ring"})


def get(source: TextSource, *titles: str, prop: str = "info|pageprops|extracts|links", **more: str) -> Answer:
    return source.answer({**QUERY, "prop": prop, "titles": "|".join(titles), **more})


def answer(source: TextSource, *titles: str, **parameters: str) -> dict[str, Any]:
    found = get(source, *titles, **parameters)
    assert found.status == 200
    assert found.headers["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(found.body)


def page(source: TextSource, title: str) -> dict[str, Any]:
    [found] = answer(source, title)["query"]["pages"]
    return found


def error(source: TextSource, **parameters: str) -> str:
    return json.loads(source.answer({**QUERY, "prop": "info", "titles": "Apple", **parameters}).body)["error"]["code"]


def test_a_page_has_mediawikis_fields(source: TextSource) -> None:
    found = page(source, "Acme & Söhne")
    assert found == {
        "pageid": found["pageid"],
        "ns": 0,
        "title": "Acme & Söhne",
        "contentmodel": "wikitext",
        "lastrevid": found["lastrevid"],
        "length": 18,
        "extract": "Acme makes anvils.",
    }
    assert isinstance(found["pageid"], int)
    assert isinstance(found["lastrevid"], int)


def test_only_properties_that_are_asked_for_are_told(source: TextSource) -> None:
    [found] = answer(source, "Apple", prop="info")["query"]["pages"]
    assert not {"extract", "links", "pageprops"} & found.keys()
    [found] = answer(source, "Apple", prop="extracts")["query"]["pages"]
    assert "lastrevid" not in found


@pytest.mark.parametrize("title", ["acme & Söhne", "Acme_&_Söhne", " Acme  & Söhne"])
def test_other_spellings_are_normalised(source: TextSource, title: str) -> None:
    query = answer(source, title)["query"]
    assert query["normalized"] == [{"fromencoded": False, "from": title, "to": "Acme & Söhne"}]
    assert query["pages"][0]["extract"] == "Acme makes anvils."


def test_a_title_that_is_not_composed_is_told_with_percent_encoding(source: TextSource) -> None:
    query = answer(source, "Acme & So\u0308hne")["query"]
    expected = {"fromencoded": True, "from": "Acme%20%26%20So%CC%88hne", "to": "Acme & Söhne"}
    assert query["normalized"] == [expected]


def test_redirects_are_followed_over_several_steps(source: TextSource) -> None:
    query = answer(source, "acme Inc.", "Acme")["query"]
    assert query["redirects"] == [{"from": "Acme Inc.", "to": "Acme"}, {"from": "Acme", "to": "Acme & Söhne"}]
    assert [found["title"] for found in query["pages"]] == ["Acme & Söhne"], "both lead to one page"


def test_a_circle_of_redirects_ends(source: TextSource) -> None:
    assert answer(source, "Ring")["query"]["pages"] == [{"ns": 0, "title": "Ring", "missing": True}]


def test_disambiguation(source: TextSource) -> None:
    found = page(source, "Apple")
    assert found["pageprops"] == {"disambiguation": ""}
    assert [link["title"] for link in found["links"]] == ["Apple (fruit)", "Apple Inc."]
    assert "pageprops" not in page(source, "24/7 Company")


def test_missing_and_invalid_titles_are_told_apart(source: TextSource) -> None:
    missing, invalid = answer(source, "Nobody", "<b>")["query"]["pages"]
    assert missing == {"ns": 0, "title": "Nobody", "missing": True}
    assert (invalid["title"], invalid["invalid"], "invalidreason" in invalid) == ("<b>", True, True)
    assert page(source, "x" * 256)["invalid"]
    assert page(source, "../x")["invalid"]


def test_many_titles_and_their_limit(source: TextSource) -> None:
    source.generate_texts(True)
    names = [f"Company {number}" for number in range(51)]
    assert len(answer(source, *names[:50], prop="info")["query"]["pages"]) == 50
    assert json.loads(get(source, *names, prop="info").body)["error"]["code"] == "toomanyvalues"


def test_introductions_come_twenty_at_a_time_and_then_continue(source: TextSource) -> None:
    source.generate_texts(True)
    names = [f"Company {number}" for number in range(45)]
    found: dict[str, str] = {}
    more: dict[str, str] = {}
    parts = 0
    while True:
        part = answer(source, *names, prop="extracts", **more)
        parts += 1
        found |= {entry["title"]: entry["extract"] for entry in part["query"]["pages"] if "extract" in entry}
        if "continue" not in part:
            break
        more = {name: str(value) for name, value in part["continue"].items()}
    assert (parts, list(found), part["batchcomplete"]) == (3, names, True)


def test_parts_can_be_made_shorter(source: TextSource) -> None:
    source.continue_after(1)
    part = answer(source, "Apple", "Acme", prop="info|pageprops")
    assert part["continue"] == {"ppcontinue": 1, "continue": "||"}
    assert "batchcomplete" not in part


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"action": "parse"}, "badvalue"),
        ({"format": "xml"}, "badvalue"),
        ({"formatversion": "1"}, "badvalue"),
        ({"prop": "info|links|images"}, "badvalue"),
    ],
)
def test_wrong_requests_are_errors(source: TextSource, parameters: dict[str, str], code: str) -> None:
    assert error(source, **parameters) == code


def test_other_paths_are_not_there(source: TextSource) -> None:
    assert source.serve("/api/rest_v1/page/summary/Apple", {}, {}).status == 404


def test_the_revision_changes_exactly_when_the_text_does(source: TextSource) -> None:
    first = page(source, "Apple")["lastrevid"]
    assert page(source, "Apple")["lastrevid"] == first
    source.set_text("Apple", "Apple makes telephones.")
    second = page(source, "Apple")
    assert (second["lastrevid"] != first, "pageprops" in second) == (True, False)
    source.set_text("Apple", "Apple makes telephones.", revision="42")
    assert page(source, "Apple")["lastrevid"] == 42


def test_a_page_can_be_removed_and_comes_back(source: TextSource) -> None:
    source.set_text("Apple", None)
    assert page(source, "Apple")["missing"]
    source.set_redirect("Apple", "Acme")
    assert page(source, "Apple")["title"] == "Acme & Söhne"
    source.clear()
    assert page(source, "Apple")["title"] == "Apple"


def test_faults_hit_requests_that_name_a_title_so_many_times(source: TextSource) -> None:
    source.set_fault("apple", TextFault(status=429, retry_after=2, delay=0.5, times=2))
    for _ in range(2):
        found = get(source, "24/7 Company", "Apple")
        assert (found.status, found.headers["Retry-After"], found.delay) == (429, "2", 0.5)
        assert get(source, "Acme").status == 200
    assert get(source, "Apple").status == 200
    assert source.counts == {"requests": 5, "refused": 2, "titles": 3, "most_at_once": 0}


def test_faults_of_all_titles_yield_to_those_of_one(source: TextSource) -> None:
    source.set_fault("*", TextFault(status=503))
    source.set_fault("Apple", TextFault(delay=0.1))
    assert (get(source, "Apple").status, get(source, "Acme").status) == (200, 503)
    source.clear()
    assert get(source, "Acme").status == 200


def test_errors_in_the_answer(source: TextSource) -> None:
    source.set_fault("Apple", TextFault(code="maxlag", retry_after=5, times=1))
    found = get(source, "Apple")
    assert (found.status, found.headers["Retry-After"]) == (200, "5")
    assert json.loads(found.body)["error"] == {"code": "maxlag", "info": "Injected fault.", "lag": 7.5}


def test_large_and_broken_bodies(source: TextSource) -> None:
    source.set_fault("Apple", TextFault(body_bytes=50_000))
    found = get(source, "Apple")
    assert len(found.body) >= 50_000
    assert json.loads(found.body)["query"]["pages"][0]["title"] == "Apple"
    source.set_fault("Apple", TextFault(body="<html>"))
    assert get(source, "Apple").body == b"<html>"


def test_latency_adds_to_a_faults_delay(source: TextSource) -> None:
    source.set_latency(0.25)
    assert get(source, "Apple").delay == 0.25
    source.set_fault("Apple", TextFault(delay=0.5))
    assert get(source, "Apple").delay == 0.75


def test_generated_texts_are_varied_and_stay_the_same(source: TextSource) -> None:
    assert page(source, "Company 00001")["missing"]
    source.generate_texts(True)
    pages = [page(source, f"Company {number:05}") for number in range(1, 201)]
    assert len({found["extract"] for found in pages}) == 200
    assert pages[6] == page(source, "Company 00007")
    assert "Company 00007" in pages[6]["extract"]
    source.set_text("Company 00007", "Its own text.")
    assert page(source, "Company 00007")["extract"] == "Its own text."
    assert page(source, "Company seven")["missing"]


def test_requests_and_titles_are_counted(source: TextSource) -> None:
    get(source, "Apple", "Nobody")
    get(source, "apple")
    source.serve("/favicon.ico", {}, {})
    assert source.counts == {"requests": 2, "refused": 0, "titles": 2, "most_at_once": 0}
    source.reset_counts()
    assert source.counts["requests"] == 0


def test_requests_over_the_limit_are_refused(source: TextSource) -> None:
    source.set_limits(Limits(per_minute=2, per_minute_with_contact=4))
    parameters = {**QUERY, "prop": "info", "titles": "Apple"}
    found = [source.serve(API_PATH, parameters, {"user-agent": "CloudNLP/1.0 (no contact given)"}) for _ in range(3)]
    assert [one.status for one in found] == [200, 200, 429]
    assert 55 <= int(found[2].headers["Retry-After"]) <= 60
    found = [source.serve(API_PATH, parameters, WITH_CONTACT) for _ in range(3)]
    assert [one.status for one in found] == [200, 200, 429]
    assert source.counts == {"requests": 6, "refused": 2, "titles": 1, "most_at_once": 1}
    source.clear()
    assert source.serve(API_PATH, parameters, {}).status == 200


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("facebook", "Facebook"),
        ("  a_b ", "A b"),
        ("éclair", "Éclair"),
        ("任天堂", "任天堂"),
        ("", ""),
        ("iPod", "IPod"),
    ],
)
def test_canonical_titles(title: str, expected: str) -> None:
    assert canonical(title) == expected


@pytest.mark.parametrize("name", STARTING_NAMES)
def test_the_starting_names_lead_to_texts(name: str) -> None:
    found = page(TextSource.from_files(), name)
    assert "pageprops" not in found
    assert len(found["extract"].split()) >= 60


def test_the_sample_texts_are_sound() -> None:
    source = TextSource.from_files()
    pages = {title: page(source, title) for title in source.titles}
    articles = [found for found in pages.values() if "pageprops" not in found]
    assert len(articles) >= 60
    assert len(pages) - len(articles) >= 2
    assert all(len(found["links"]) >= 2 for found in pages.values() if "pageprops" in found)
    assert all(60 <= len(found["extract"].split()) <= 150 for found in articles)
    assert all(title == canonical(title) for title in pages)


@pytest.mark.parametrize("name", ["أرامكو", "任天堂", "Skoda", "24/7 Media", "L'Oréal", "h&M", "mercury", "apple"])
def test_unusual_names_are_found(name: str) -> None:
    assert page(TextSource.from_files(), name)["extract"]
