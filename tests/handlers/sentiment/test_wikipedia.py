"""Wikipedia as a text source: over the embedded Action API, and over one that fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from handlers.sentiment.texts import (
    Answers,
    BudgetError,
    Found,
    NoText,
    RateLimitError,
    SourceError,
    Text,
    Unchanged,
    Wanted,
)
from handlers.sentiment.wikipedia.answers import Answer, Query
from handlers.sentiment.wikipedia.source import Wikipedia
from local.aws.text_pages import Page
from local.aws.text_source import TextFault, TextSource
from tests.handlers.conftest import LogLines


class EmbeddedApi:
    """The embedded Action API without HTTP between it and the source; follows `continue` as the client does."""

    def __init__(self, texts: TextSource) -> None:
        self.texts = texts
        self.asked: list[dict[str, str]] = []
        # Called with each request; raises what is to go wrong.
        self.before: Callable[[dict[str, str]], None] = lambda parameters: None

    def query(self, parameters: dict[str, str], deadline: float) -> Query:
        self.asked.append(parameters)
        self.before(parameters)
        fields = {"action": "query", "format": "json", "formatversion": "2", **parameters}
        answer = self.texts.answer(fields)
        if answer.status != 200:
            raise SourceError(f"status {answer.status}")
        read = msgspec.json.decode(answer.body, type=Answer)
        assert read.error is None, read.error
        assert read.more is None
        assert read.query
        return read.query

    def titles(self) -> list[list[str]]:
        return [one["titles"].split("|") for one in self.asked]


PAGES = [
    Page("Acme", "Acme makes  anvils.\nThey fall.", "11"),
    Page("Boeing", "Boeing makes planes.", "12"),
    Page("Mercury", "Mercury may refer to:", "13", type="disambiguation", links=("A Mercury", "Mercury (car)", "Zinc")),
    Page("Blank", " ", "14"),
]
ALIASES = {"Acme Inc.": "Acme", "Acme Incorporated": "Acme Inc.", "Lost": "Nowhere"}


@pytest.fixture
def api() -> EmbeddedApi:
    return EmbeddedApi(TextSource(PAGES, ALIASES))


@pytest.fixture
def source(api: Any) -> Wikipedia:
    return Wikipedia(api, "en", sleep=lambda _: None)


def fetch(source: Wikipedia, *wanted: str | Wanted) -> Answers:
    asked = [one if isinstance(one, Wanted) else Wanted(one) for one in wanted]
    answers = source.fetch(asked, time.monotonic() + 30)
    assert set(answers) == set(asked)
    return answers


def one(source: Wikipedia, wanted: str | Wanted) -> Found | SourceError:
    [answer] = fetch(source, wanted).values()
    return answer


ACME = Text("Acme makes anvils. They fall.", "en", "11", "Acme")


def test_introduction_is_a_text(source: Wikipedia, api: EmbeddedApi) -> None:
    assert one(source, "Acme") == ACME
    assert api.asked == [
        {
            "prop": "info|pageprops|extracts",
            "exintro": "1",
            "explaintext": "1",
            "exlimit": "20",
            "ppprop": "disambiguation",
            "redirects": "1",
            "titles": "Acme",
        }
    ]


def test_page_that_is_known_is_asked_for_its_revision_first(source: Wikipedia, api: EmbeddedApi) -> None:
    assert one(source, Wanted("Acme", "10")) == ACME
    assert [asked["prop"] for asked in api.asked] == ["info|pageprops", "info|pageprops|extracts"]
    assert "exlimit" not in api.asked[0]


def test_page_of_the_known_revision_is_unchanged(source: Wikipedia, api: EmbeddedApi) -> None:
    assert one(source, Wanted("acme Inc.", "11")) == Unchanged("Acme")
    assert one(source, Wanted("Mercury", "13")) == Unchanged("Mercury")
    assert one(source, Wanted("Blank", "14")) == Unchanged("Blank")
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    "title", ["Acme", "acme", " acme_", "Acme Inc.", "acme Inc.", "Acme_Incorporated", "acme\nIncorporated"]
)
def test_every_spelling_leads_to_the_page(source: Wikipedia, title: str) -> None:
    assert one(source, title) == ACME


def test_several_spellings_of_one_page_are_asked_for_once(source: Wikipedia, api: EmbeddedApi) -> None:
    answers = fetch(source, "Acme", "acme", "Acme Inc.", Wanted("Acme", "11"), Wanted("Acme", "10"), "Boeing")
    assert list(answers.values()).count(ACME) == 4
    assert answers[Wanted("Acme", "11")] == Unchanged("Acme")
    assert api.titles() == [["Acme"], ["Acme", "acme", "Acme Inc.", "Boeing"]]


def test_ambiguous_name_has_its_meanings(source: Wikipedia, api: EmbeddedApi) -> None:
    assert one(source, "Mercury") == NoText("AMBIGUOUS", ("Mercury (car)", "A Mercury", "Zinc"), "13", "Mercury")
    assert [asked["prop"] for asked in api.asked] == ["info|pageprops|extracts", "info|links"]
    api.asked.clear()
    assert isinstance(one(source, Wanted("Mercury", "12")), NoText)
    assert [asked["prop"] for asked in api.asked] == ["info|pageprops", "info|links"]


def test_meanings_are_few(source: Wikipedia, api: EmbeddedApi) -> None:
    api.texts.set_text("Delta", "many", type="disambiguation", links=[f"Delta {number}" for number in range(400)])
    found = one(source, "Delta")
    assert isinstance(found, NoText)
    assert len(found.candidates) == 10


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Nobody", "no such page"),
        ("Lost", "no such page"),
        ("../x", "not a title: Title has relative path."),
        ("A|B", "not a title: it contains '|'"),
        ("x" * 256, "not a title: it is longer than 255 bytes"),
        ("", "not a title: it is empty"),
    ],
)
def test_title_without_a_page_is_not_found_with_the_reason(
    source: Wikipedia, log_lines: LogLines, title: str, reason: str
) -> None:
    assert one(source, title) == NoText("NOT_FOUND", reason=reason)
    assert [(line["title"], line["reason"]) for line in log_lines()] == [(title, reason)]


def test_a_long_reason_is_cut(source: Wikipedia, api: EmbeddedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"ns": 0, "title": "A", "invalid": True, "invalidreason": "x" * 200}
    monkeypatch.setattr(api, "query", lambda parameters, deadline: msgspec.convert({"pages": [page]}, Query))
    assert one(source, "A") == NoText("NOT_FOUND", reason="not a title: " + "x" * 87)


def test_impossible_titles_need_no_request(source: Wikipedia, api: EmbeddedApi) -> None:
    fetch(source, "A|B", "#", "A\x01")
    assert api.asked == []


def test_page_without_an_introduction_is_not_found_until_it_changes(source: Wikipedia) -> None:
    assert one(source, "Blank") == NoText("NOT_FOUND", revision="14", page="Blank", reason="no introduction")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"ns": -1, "title": "Special:Random", "special": True}, "not an article"),
        ({"ns": 14, "title": "Category:Acme", "lastrevid": 7}, "not an article"),
        ({"ns": 0, "title": "Acme"}, "no revision"),
    ],
)
def test_what_is_no_article_is_not_found(
    source: Wikipedia, api: EmbeddedApi, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any], reason: str
) -> None:
    query = msgspec.convert({"pages": [entry]}, Query)
    monkeypatch.setattr(api, "query", lambda parameters, deadline: query)
    assert one(source, entry["title"]) == NoText("NOT_FOUND", reason=reason)


@pytest.mark.parametrize(
    "answer",
    [
        {"interwiki": [{"title": "de:Acme", "iw": "de"}]},
        {"redirects": [{"from": "de:Acme", "to": "de:Firma", "tointerwiki": "de"}]},
    ],
)
def test_title_that_leads_to_another_wiki_is_not_found(
    source: Wikipedia, api: EmbeddedApi, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    monkeypatch.setattr(api, "query", lambda parameters, deadline: msgspec.convert(answer, Query))
    assert one(source, "de:Acme") == NoText("NOT_FOUND", reason="not an article")


def test_page_that_goes_away_between_the_requests_is_not_found(source: Wikipedia, api: EmbeddedApi) -> None:
    def remove(parameters: dict[str, str]) -> None:
        if "extracts" in parameters["prop"]:
            api.texts.set_text("Acme", None)

    api.before = remove
    assert one(source, Wanted("Acme", "10")) == NoText("NOT_FOUND", reason="no such page")


def test_text_has_the_revision_it_was_read_at(source: Wikipedia, api: EmbeddedApi) -> None:
    def edit(parameters: dict[str, str]) -> None:
        if "extracts" in parameters["prop"]:
            api.texts.set_text("Acme", "Acme makes springs.", revision="15")

    api.before = edit
    assert one(source, Wanted("Acme", "10")) == Text("Acme makes springs.", "en", "15", "Acme")


@pytest.mark.parametrize("character", ["a", "é", "語", "😀", "س"])
def test_long_text_is_cut_at_a_character(source: Wikipedia, api: EmbeddedApi, character: str) -> None:
    api.texts.set_text("Long", "x" + character * (20_000 // len(character.encode())))
    text = one(source, "Long")
    assert isinstance(text, Text)
    assert 5000 - len(character.encode()) < len(text.content.encode()) <= 5000
    assert text.content == "x" + character * (len(text.content) - 1)


def test_many_pages_take_few_requests(source: Wikipedia, api: EmbeddedApi) -> None:
    api.texts.generate_texts(True)
    names = [f"Company {number}" for number in range(120)]
    first = fetch(source, *names)
    assert all(isinstance(found, Text) for found in first.values())
    assert [len(titles) for titles in api.titles()] == [20] * 6
    api.asked.clear()
    known = [Wanted(wanted.title, found.revision) for wanted, found in first.items() if isinstance(found, Text)]
    second = fetch(source, *known)
    assert all(isinstance(found, Unchanged) for found in second.values())
    assert [len(titles) for titles in api.titles()] == [50, 50, 20]


@pytest.mark.parametrize(
    ("language", "extra"),
    [("de", {}), ("zh", {"converttitles": "1"}), ("zh-TW", {"converttitles": "1", "variant": "zh-tw"})],
)
def test_scripts_of_a_language(api: Any, language: str, extra: dict[str, str]) -> None:
    text = one(Wikipedia(api, language, sleep=lambda _: None), "Acme")
    assert isinstance(text, Text)
    assert text.language == language
    usual = {"prop", "ppprop", "redirects", "titles", "exintro", "explaintext", "exlimit"}
    [asked] = api.asked
    assert {name: value for name, value in asked.items() if name not in usual} == extra


# Failures


def test_one_page_that_fails_does_not_fail_the_others(source: Wikipedia, api: EmbeddedApi) -> None:
    api.texts.generate_texts(True)
    api.texts.set_fault("Company 33", TextFault(status=500))
    answers = fetch(source, *(Wanted(f"Company {number}", "7") for number in range(50)))
    failed = [wanted.title for wanted, found in answers.items() if isinstance(found, SourceError)]
    assert failed == ["Company 33"]
    assert len(api.asked) <= 1 + 2 * 6 + 3, "it is found by halving, and 49 texts are three requests"


def test_failure_of_the_whole_source_is_three_requests(source: Wikipedia, api: EmbeddedApi) -> None:
    api.texts.set_fault("*", TextFault(status=502))
    answers = fetch(source, *(Wanted(f"Company {number}", "7") for number in range(50)))
    assert {str(found) for found in answers.values()} == {"status 502"}
    assert len(api.asked) == 3


def test_single_page_is_asked_for_twice(source: Wikipedia, api: EmbeddedApi) -> None:
    api.texts.set_fault("Acme", TextFault(status=500, times=1))
    assert one(source, "Acme") == ACME
    api.texts.set_fault("Acme", TextFault(status=500))
    api.asked.clear()
    assert isinstance(one(source, "Acme"), SourceError)
    assert len(api.asked) == 2


@pytest.mark.parametrize("prop", ["info|pageprops", "info|pageprops|extracts", "info|links"])
def test_limit_ends_all_further_requests_and_is_no_failure(source: Wikipedia, api: EmbeddedApi, prop: str) -> None:
    def refuse(parameters: dict[str, str]) -> None:
        if parameters["prop"] == prop:
            raise RateLimitError("status 429", 60)

    api.before = refuse
    api.texts.generate_texts(True)
    new = [f"Company {number}" for number in range(60)]
    known = [Wanted(f"Company {number}", "7") for number in range(100, 160)]
    answers = fetch(source, *new, *known, "Boeing", Wanted("Acme", "11"), Wanted("Mercury", "12"))
    limited = {wanted.title for wanted, found in answers.items() if isinstance(found, RateLimitError)}
    changed = {wanted.title for wanted in known}
    expected = {
        "info|pageprops": {*changed, "Acme", "Mercury"},
        "info|pageprops|extracts": {*new, *changed, "Boeing"},
        "info|links": {"Mercury"},
    }
    assert limited == expected[prop]
    assert sum(asked["prop"] == prop for asked in api.asked) == 1


def test_limit_while_a_failing_page_is_looked_for_fails_nobody(source: Wikipedia, api: EmbeddedApi) -> None:
    def go_wrong(parameters: dict[str, str]) -> None:
        raise RateLimitError("status 429", 60) if len(api.asked) > 2 else SourceError("status 500")

    api.before = go_wrong
    answers = fetch(source, "Acme", "Boeing")
    assert all(isinstance(found, RateLimitError) for found in answers.values())


def test_budget_that_cannot_be_read_fails_all_without_further_attempts(source: Wikipedia, api: EmbeddedApi) -> None:
    def refuse(parameters: dict[str, str]) -> None:
        raise BudgetError("request budget not available")

    api.before = refuse
    answers = fetch(source, "Acme", "Boeing")
    assert all(isinstance(found, BudgetError) for found in answers.values())
    assert len(api.asked) == 1


def test_page_that_the_answer_lacks_is_an_error(
    source: Wikipedia, api: EmbeddedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = api.query

    def forget(parameters: dict[str, str], deadline: float) -> Query:
        return Query() if "extracts" in parameters["prop"] else real(parameters, deadline)

    monkeypatch.setattr(api, "query", forget)
    assert str(one(source, "Acme")) == "not in the answer"
