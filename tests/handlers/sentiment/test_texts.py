"""Texts and their limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.sentiment.texts import SourceError, cut_to_bytes
from schema.limits import COMPREHEND_TEXT_BYTES

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(TEXTS, st.integers(0, 300))
def test_cut_text_is_the_longest_beginning_that_fits(text: str, limit: int) -> None:
    cut = cut_to_bytes(text, limit)
    assert text.startswith(cut)
    assert len(cut.encode()) <= limit
    rest = text[len(cut) :]
    assert not rest or len((cut + rest[0]).encode()) > limit


@pytest.mark.parametrize(
    ("character", "characters"), [("a", 5000), ("é", 2500), ("語", 1666), ("😀", 1250), ("س", 2500)]
)
def test_texts_are_cut_to_the_limit_of_comprehend(character: str, characters: int) -> None:
    assert cut_to_bytes(character * 5001) == character * characters


def test_text_of_the_exact_limit_stays() -> None:
    assert cut_to_bytes("a" * 5000) == "a" * COMPREHEND_TEXT_BYTES == "a" * 5000


def test_source_error_says_when_to_come_back() -> None:
    assert str(SourceError("busy", 7)) == "busy"
    assert SourceError("busy", 7).retry_after == 7
    assert SourceError("busy").retry_after == 0
