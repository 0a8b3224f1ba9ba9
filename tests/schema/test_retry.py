"""Retries: pauses and attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import retry
from schema.retry import Backoff, attempts, full_jitter


@pytest.fixture
def longest_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause is as long as it can be."""
    monkeypatch.setattr(retry._random, "uniform", lambda _, longest: longest)


@given(st.integers(1, 10_000), st.floats(0.01, 100), st.floats(0.01, 1000))
def test_pauses_are_bounded(failures: int, first: float, longest: float) -> None:
    assert 0 <= full_jitter(failures, first, longest) <= longest


@pytest.mark.usefixtures("longest_pauses")
def test_longest_pauses_double_up_to_the_limit() -> None:
    assert [full_jitter(failures, 2, 30) for failures in range(1, 7)] == [2, 4, 8, 16, 30, 30]


def test_pauses_are_spread_from_nothing_to_the_longest() -> None:
    pauses = [full_jitter(3, 1, 100) for _ in range(500)]
    assert min(pauses) < 0.4
    assert 3.6 < max(pauses) <= 4


@pytest.mark.usefixtures("longest_pauses")
def test_there_is_a_pause_between_attempts_and_none_after_the_last() -> None:
    pauses: list[float] = []
    made = [(one.number, one.is_last) for one in attempts(Backoff(4, 1, 3), pauses.append)]
    assert made == [(1, False), (2, False), (3, False), (4, True)]
    assert pauses == [1, 2, 3]


def test_an_attempt_that_succeeds_is_the_last() -> None:
    pauses: list[float] = []
    for attempt in attempts(Backoff(4, 1, 3), pauses.append):
        if attempt.number == 2:
            break
    assert len(pauses) == 1


def test_the_next_attempt_can_follow_at_once() -> None:
    pauses: list[float] = []
    for attempt in attempts(Backoff(4, 1, 3), pauses.append):
        attempt.at_once = attempt.number != 2
    assert len(pauses) == 1


@pytest.mark.usefixtures("longest_pauses")
def test_the_other_side_can_ask_for_a_longer_pause() -> None:
    pauses: list[float] = []
    for attempt in attempts(Backoff(4, 1, 3), pauses.append):
        attempt.pause_at_least = 2.5
    assert pauses == [2.6, 2.7, 3]
