"""Two calls at once."""

from __future__ import annotations

import threading

import pytest

from handlers.common.concurrency import both

TIMEOUT_SECONDS = 10


def test_both_are_under_way_at_once() -> None:
    meeting = threading.Barrier(2, timeout=TIMEOUT_SECONDS)
    first, second = both(lambda: (meeting.wait(), "one"), lambda: (meeting.wait(), "two"))
    assert (first[1], second[1]) == ("one", "two")
    assert {first[0], second[0]} == {0, 1}


def test_the_first_ones_failure_is_raised_when_the_second_has_ended() -> None:
    failing, ended = threading.Event(), threading.Event()

    def fail() -> None:
        failing.set()
        raise LookupError("first")

    def fail_later() -> None:
        failing.wait(TIMEOUT_SECONDS)
        ended.set()
        raise ValueError("second")

    with pytest.raises(LookupError, match="first"):
        both(fail, fail_later)
    assert ended.is_set()


def test_the_second_ones_failure_is_raised() -> None:
    def fail() -> None:
        raise ValueError("second")

    with pytest.raises(ValueError, match="second"):
        both(lambda: 1, fail)
