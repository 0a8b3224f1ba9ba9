"""Retries: how often, and with which pauses."""

from __future__ import annotations

import pytest

from schema.retry import Backoff, attempts

BACKOFF = Backoff(attempts=4, first_seconds=1, longest_seconds=3)


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the longest pause chosen each time."""
    monkeypatch.setattr("schema.retry._random.uniform", lambda _low, high: high)


@pytest.mark.usefixtures("longest")
def test_pauses_double_up_to_the_longest() -> None:
    pauses: list[float] = []
    numbers = [(attempt.number, attempt.is_last) for attempt in attempts(BACKOFF, pauses.append)]
    assert numbers == [(1, False), (2, False), (3, False), (4, True)]
    assert pauses == [1, 2, 3]


@pytest.mark.usefixtures("longest")
def test_pause_is_no_shorter_than_the_other_side_asks_for() -> None:
    pauses: list[float] = []
    for attempt in attempts(BACKOFF, pauses.append):
        attempt.pause_at_least = 10 if attempt.number == 1 else 0
    assert pauses == [10.1, 2, 3]


def test_no_pause_after_an_attempt_that_ends_the_loop() -> None:
    pauses: list[float] = []
    for _ in attempts(BACKOFF, pauses.append):
        break
    assert pauses == []


def test_one_attempt_has_no_pause() -> None:
    pauses: list[float] = []
    assert [attempt.is_last for attempt in attempts(Backoff(1, 1, 1), pauses.append)] == [True]
    assert pauses == []


def test_pauses_are_random_and_never_longer_than_they_may_be() -> None:
    pauses = [BACKOFF.pause(2) for _ in range(200)]
    assert len(set(pauses)) > 100
    assert 0 <= min(pauses) < 0.5
    assert 1.5 < max(pauses) <= 2


def test_many_failures_do_not_overflow() -> None:
    assert BACKOFF.pause(100_000) <= 3
