"""What the table of observations holds: sizes of items, and what is the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.sentiment.records import (
    LATEST_BYTES,
    Claim,
    Observation,
    fit_latest,
    latest_item,
    read_observation,
    says_the_same,
    text_hash,
)
from handlers.sentiment.sentiments import Scores
from handlers.sentiment.texts import Text
from schema.companies import WRITE_UNIT_BYTES
from schema.dynamodb import encode, item_bytes
from tests.handlers.sentiment.pipeline import RUN

SCORES = Scores(0.123456, 0.234567, 0.345678, 0.296299)
LONGEST: dict[str, Any] = {
    "run": RUN,
    "observed_at": "2026-11-21T06:52:00Z",
    "label": "UNSUPPORTED",
    "scores": SCORES,
    "language": "zh-TW",
    "revision": "1234567890",
    "text_hash": "0" * 64,
}


def longest(company: str, **more: Any) -> Observation:
    return Observation(company=company, **{**LONGEST, **more})


def latest_bytes(observation: Observation) -> int:
    """Size of the latest item after a look that found nothing new."""
    claim = Claim(observation, "", "0123456789abcdef", 1_795_000_030)
    return item_bytes(encode({**latest_item(claim, "2026-11-21T06:52:00Z"), "unchanged": True}))


@pytest.mark.parametrize(
    "company",
    ["SAP", "x" * 200, "é" * 200, "字" * 200, "😀" * 162],
    ids=["short", "200 letters", "400 bytes", "600 bytes", "648 bytes"],
)
@pytest.mark.parametrize("snippet", ["字" * 300, "word " * 60, ""], ids=["900 bytes", "300 bytes", "none"])
def test_latest_item_of_every_company_takes_one_write_unit(company: str, snippet: str) -> None:
    page, candidates = "字" * 85, tuple("字" * 85 for _ in range(50))
    fitted = fit_latest(longest(company, snippet=snippet, page=page, candidates=candidates))
    assert latest_bytes(fitted) <= LATEST_BYTES < WRITE_UNIT_BYTES


def test_names_of_more_than_650_bytes_keep_all_that_runs_compare() -> None:
    fitted = fit_latest(longest("😀" * 200, snippet="a", page="b"))
    assert fitted == longest("😀" * 200)


def test_usual_observation_is_kept_whole() -> None:
    observation = longest("Volkswagen Financial Services", snippet="x" * 300, page="Volkswagen Financial Services AG")
    assert fit_latest(observation) == observation


def test_snippet_is_cut_at_a_character_with_a_mark() -> None:
    fitted = fit_latest(longest("字" * 100, snippet="字" * 300))
    assert fitted.snippet.strip("字") == "…"
    assert LATEST_BYTES - 6 <= latest_bytes(fitted) <= LATEST_BYTES


def test_first_candidates_are_kept() -> None:
    candidates = tuple(f"Mercury ({number})" for number in range(200))
    fitted = fit_latest(Observation(RUN, LONGEST["observed_at"], "Mercury", "AMBIGUOUS", candidates=candidates))
    assert 20 < len(fitted.candidates) < 200
    assert fitted.candidates == candidates[: len(fitted.candidates)]


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=160),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=255),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=100), max_size=30),
)
def test_fitted_observation_is_a_shorter_one_and_stays_as_it_is(
    company: str, snippet: str, page: str, candidates: list[str]
) -> None:
    observation = longest(company, snippet=snippet, page=page, candidates=tuple(candidates))
    fitted = fit_latest(observation)
    assert latest_bytes(fitted) <= LATEST_BYTES
    assert fit_latest(fitted) == fitted
    assert fitted.snippet == snippet or snippet.startswith(fitted.snippet.removesuffix("…"))
    assert fitted.page in ("", page)


def test_text_is_named_by_content_and_language() -> None:
    text = Text("good", "en", "7", "A")
    assert text_hash(text) == text_hash(Text("good", "en", "8", "B"))
    assert len({text_hash(text), text_hash(Text("good", "de", "7")), text_hash(Text("good.", "en", "7"))}) == 3


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"run": "20261121T065700Z-00000001", "revision": "9", "observed_at": "", "snippet": "x", "page": "B"}, True),
        ({"label": "NEUTRAL"}, False),
        ({"text_hash": "1" * 64}, False),
        ({"candidates": ("A", "B")}, False),
        ({"reason": "no such page"}, False),
    ],
)
def test_what_says_the_same(change: dict[str, Any], same: bool) -> None:
    last = longest("a", page="A")
    assert says_the_same(msgspec.structs.replace(last, **change), last) is same


def test_first_observation_is_new() -> None:
    assert not says_the_same(longest("a"), None)


def test_candidates_beyond_what_fits_are_not_new() -> None:
    candidates = tuple(f"Mercury ({number})" for number in range(200))
    observation = Observation(RUN, LONGEST["observed_at"], "Mercury", "AMBIGUOUS", candidates=candidates)
    assert says_the_same(observation, fit_latest(observation))


def test_item_of_a_version_without_stored_texts_is_read() -> None:
    """As version 0.1.0 wrote it."""
    item = {
        "company": "a",
        "record": "latest",
        "run": RUN,
        "observed_at": "2026-11-21T06:52:00Z",
        "label": "POSITIVE",
        "positive": 0.7,
        "negative": 0.1,
        "neutral": 0.15,
        "mixed": 0.05,
        "language": "en",
        "revision": "12",
        "unchanged": True,
        "snippet": "a is",
        "object": "sentiment/x.csv",
    }
    scores = Scores(0.7, 0.1, 0.15, 0.05)
    expected = Observation(RUN, "2026-11-21T06:52:00Z", "a", "POSITIVE", scores, "en", "12", True, "a is")
    assert read_observation(item) == expected
