"""Titles: what cannot be one, and where spellings lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.sentiment.wikipedia.answers import Step
from handlers.sentiment.wikipedia.titles import Spellings, clean, mistake


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Meta Platforms", "Meta Platforms"),
        (" Meta\tPlatforms ", "Meta Platforms"),
        ("Meta\r\nPlatforms", "Meta Platforms"),
        ("Meta__Platforms_", "Meta Platforms"),
        ("So\u0308hne", "Söhne"),
        ("_", ""),
    ],
)
def test_spaces_and_accents_are_normalised(title: str, expected: str) -> None:
    assert clean(title) == expected


@pytest.mark.parametrize("title", ["AC/DC", "C++", "100 %", "🏢 Inc", "شركة أرامكو", "L'Oréal", "a;b:c@d", "字" * 85])
def test_usual_titles_are_no_mistake(title: str) -> None:
    assert mistake(title) == ""


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("", "it is empty"),
        ("A|B", "it contains '|'"),
        ("A#b", "it contains '#'"),
        ("<b>", "it contains '<'"),
        ("a[1]", "it contains '['"),
        ("{{x}}", "it contains '{'"),
        ("\x1fA", r"it contains '\x1f'"),
        ("A\x7f", r"it contains '\x7f'"),
        ("A\ufffd", "it contains '\ufffd'"),
        ("A\ud800", r"it contains '\ud800'"),
        ("字" * 86, "it is longer than 255 bytes"),
    ],
)
def test_impossible_titles_are_told_with_the_reason(title: str, reason: str) -> None:
    assert mistake(title) == reason


@given(st.text())
def test_title_without_a_mistake_can_be_one_of_many_in_a_request(title: str) -> None:
    cleaned = clean(title)
    assert clean(cleaned) == cleaned
    if not mistake(cleaned):
        assert "|" not in cleaned
        assert len(cleaned.encode()) <= 255


def test_steps_are_followed_in_any_order() -> None:
    steps = [Step("B", "C"), Step("a", "A"), Step("A", "B"), Step("So%CC%88hne", "Söhne", fromencoded=True)]
    spellings = Spellings(steps)
    assert [spellings.page(title) for title in ("a", "A", "B", "C", "So\u0308hne")] == ["C", "C", "C", "C", "Söhne"]


def test_circle_of_redirects_ends() -> None:
    assert Spellings([Step("A", "B"), Step("B", "A")]).page("A") == "B"
