"""The text source answers as Wikipedia's summary endpoint does."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from local.aws.text_pages import Page, canonical
from local.aws.text_source import SUMMARY_PATH, Answer, TextFault, TextSource

STARTING_NAMES = ["facebook", "amazon", "netflix", "google", "microsoft", "ibm", "oracle", "spotify", "nvidia"]


@pytest.fixture
def source() -> TextSource:
    pages = [
        Page("Acme & Söhne", "Acme makes anvils."),
        Page("24/7 Company", "It never sleeps."),
        Page("Apple", "Apple may refer to:", type="disambiguation"),
    ]
    return TextSource(pages, {"Acme": "Acme & Söhne"})


def get(source: TextSource, title: str, **headers: str) -> Answer:
    return source.answer(SUMMARY_PATH + quote(title, safe=""), headers)


def summary(source: TextSource, title: str) -> dict[str, Any]:
    answer = get(source, title)
    assert answer.status == 200
    return json.loads(answer.body)


def follow(source: TextSource, title: str) -> dict[str, Any]:
    """As a client does: at most one redirect."""
    answer = get(source, title)
    if answer.status == 302:
        answer = source.answer(answer.headers["Location"])
    assert answer.status == 200
    return json.loads(answer.body)


def test_a_summary_has_wikipedias_fields(source: TextSource) -> None:
    page = summary(source, "Acme_&_Söhne")
    fields = {"type", "title", "displaytitle", "pageid", "lang", "revision", "tid", "timestamp", "description"}
    assert fields | {"extract", "content_urls"} <= set(page)
    assert (page["type"], page["title"], page["extract"]) == ("standard", "Acme & Söhne", "Acme makes anvils.")
    assert isinstance(page["revision"], str)
    assert isinstance(page["pageid"], int)
    assert page["content_urls"]["desktop"]["page"] == "https://en.wikipedia.org/wiki/Acme_%26_S%C3%B6hne"


def test_underscores_are_spaces_and_a_slash_is_part_of_a_title(source: TextSource) -> None:
    assert summary(source, "Acme & Söhne") == summary(source, "Acme_&_Söhne")
    assert summary(source, "24/7 Company")["title"] == "24/7 Company"
    assert source.answer(f"{SUMMARY_PATH}24/7_Company").status == 404


@pytest.mark.parametrize("title", ["acme & Söhne", "Acme", "acme", "Acme & So\u0308hne"])
def test_other_spellings_redirect_to_the_canonical_title(source: TextSource, title: str) -> None:
    answer = get(source, title)
    assert (answer.status, answer.headers["Location"]) == (302, f"{SUMMARY_PATH}Acme_%26_S%C3%B6hne")
    assert follow(source, title)["title"] == "Acme & Söhne"


def test_disambiguation(source: TextSource) -> None:
    assert summary(source, "Apple")["type"] == "disambiguation"


@pytest.mark.parametrize("path", [f"{SUMMARY_PATH}Nobody", SUMMARY_PATH, "/", "/api/rest_v1/page/html/Apple"])
def test_what_is_not_there(source: TextSource, path: str) -> None:
    answer = source.answer(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.body)["type"] == "https://mediawiki.org/wiki/HyperSwitch/errors/not_found"


def test_the_revision_changes_exactly_when_the_text_does(source: TextSource) -> None:
    first = summary(source, "Apple")["revision"]
    assert summary(source, "Apple")["revision"] == first
    source.set_text("Apple", "Apple makes telephones.")
    second = summary(source, "Apple")
    assert (second["revision"] != first, second["type"]) == (True, "standard")
    source.set_text("Apple", "Apple makes telephones.", revision="42", language="de")
    third = summary(source, "Apple")
    assert (third["revision"], third["lang"]) == ("42", "de")


def test_an_unchanged_page_is_not_sent_again(source: TextSource) -> None:
    tag = get(source, "Apple").headers["ETag"]
    again = get(source, "Apple", **{"if-none-match": tag})
    assert (again.status, again.body) == (304, b"")
    source.set_text("Apple", "Something new.")
    assert get(source, "Apple", **{"if-none-match": tag}).status == 200


def test_a_page_can_be_removed_and_comes_back(source: TextSource) -> None:
    source.set_text("Apple", None)
    assert get(source, "Apple").status == 404
    source.clear()
    assert get(source, "Apple").status == 200


def test_faults_hit_a_title_so_many_times(source: TextSource) -> None:
    source.set_fault("apple", TextFault(status=429, retry_after=2, delay=0.5, times=2))
    for _ in range(2):
        answer = get(source, "Apple")
        assert (answer.status, answer.headers["Retry-After"], answer.delay) == (429, "2", 0.5)
        assert get(source, "Acme_&_Söhne").status == 200
    assert get(source, "Apple").status == 200


def test_faults_of_all_titles_yield_to_those_of_one(source: TextSource) -> None:
    source.set_fault("*", TextFault(status=503))
    source.set_fault("Apple", TextFault(delay=0.1))
    assert (get(source, "Apple").status, get(source, "Acme").status) == (200, 503)
    source.clear()
    assert get(source, "Acme").status == 302


def test_large_and_broken_bodies(source: TextSource) -> None:
    source.set_fault("Apple", TextFault(body_bytes=50_000))
    answer = get(source, "Apple")
    assert len(answer.body) >= 50_000
    assert json.loads(answer.body)["title"] == "Apple"
    source.set_fault("Apple", TextFault(body="<html>"))
    assert get(source, "Apple").body == b"<html>"


def test_latency_adds_to_a_faults_delay(source: TextSource) -> None:
    source.set_latency(0.25)
    assert get(source, "Apple").delay == 0.25
    source.set_fault("Apple", TextFault(delay=0.5))
    assert get(source, "Apple").delay == 0.75


def test_generated_texts_are_varied_and_stay_the_same(source: TextSource) -> None:
    assert get(source, "Company_00001").status == 404
    source.generate_texts(True)
    pages = [summary(source, f"Company_{number:05}") for number in range(1, 201)]
    assert len({page["extract"] for page in pages}) == 200
    assert pages[6] == summary(source, "Company 00007")
    assert "Company 00007" in pages[6]["extract"]
    source.set_text("Company 00007", "Its own text.")
    assert summary(source, "Company 00007")["extract"] == "Its own text."
    assert get(source, "Company_seven").status == 404


def test_requests_are_counted(source: TextSource) -> None:
    get(source, "Apple")
    get(source, "Nobody")
    source.answer("/favicon.ico")
    assert source.requests == 2


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
    page = follow(TextSource.from_files(), name)
    assert page["type"] == "standard"
    assert len(page["extract"].split()) >= 60


def test_the_sample_texts_are_sound() -> None:
    source = TextSource.from_files()
    pages = {title: summary(source, title) for title in source.titles}
    articles = [page for page in pages.values() if page["type"] == "standard"]
    assert len(articles) >= 60
    assert len(pages) - len(articles) >= 2
    assert all(60 <= len(page["extract"].split()) <= 150 for page in articles)
    assert all(title == canonical(title) for title in pages)


@pytest.mark.parametrize("name", ["أرامكو", "任天堂", "Skoda", "24/7 Media", "L'Oréal", "h&M", "mercury", "apple"])
def test_unusual_names_are_found(name: str) -> None:
    assert follow(TextSource.from_files(), name)["extract"]
