"""Random pauses, and attempts that need none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import retry
from schema.retry import Backoff, attempts, full_jitter


@given(st.integers(1, 10_000), st.floats(0.01, 100), st.floats(0.01, 1000))
def test_pauses_are_bounded(failures: int, first: float, longest: float) -> None:
    assert 0 <= full_jitter(failures, first, longest) <= longest


def test_longest_pauses_double_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry._random, "uniform", lambda _, longest: longest)
    assert [full_jitter(failures, 2, 30) for failures in range(1, 7)] == [2, 4, 8, 16, 30, 30]


def test_pauses_are_spread_from_nothing_to_the_longest() -> None:
    pauses = [full_jitter(3, 1, 100) for _ in range(500)]
    assert min(pauses) < 0.4
    assert 3.6 < max(pauses) <= 4


def test_the_next_attempt_can_follow_at_once() -> None:
    pauses: list[float] = []
    for attempt in attempts(Backoff(4, 1, 3), pauses.append):
        attempt.at_once = attempt.number != 2
    assert len(pauses) == 1
