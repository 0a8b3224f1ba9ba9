"""Ids that sort by time, times without fractions, and keys."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from handlers.common.ids import new_id
from handlers.common.times import utc_now, whole_seconds
from handlers.projects.executions import execution_arn
from schema.ids import is_id


def test_ids_are_uuids_of_version_7_that_tell_their_time() -> None:
    identifier = UUID(new_id())
    assert (identifier.version, identifier.variant) == (7, "specified in RFC 4122")
    assert abs((identifier.int >> 80) - time.time() * 1000) < 1000
    assert is_id(str(identifier))


def test_ids_sort_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A microsecond apart, as quick as one process makes them."""
    start = time.time_ns()
    clock = iter(range(start, start + 10_000_000, 1000))
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)


def test_ids_made_at_once_differ(threads: ThreadPoolExecutor) -> None:
    made = list(threads.map(lambda _: new_id(), range(10_000)))
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    "text", ["", "latest", "01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d2", "01939D4A-6C1B-7A4E-8F2D-3B5C7E9A1D20", "x\n"]
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_id(text)
    assert not is_id(new_id() + "\n")
    assert not is_id("01939d4a-6c1b-4a4e-8f2d-3b5c7e9a1d20"), "version 4"


def test_times_are_utc_in_whole_seconds() -> None:
    now = datetime.fromisoformat(utc_now())
    assert (now.tzinfo, now.microsecond) == (UTC, 0)
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)
    assert datetime.fromisoformat(utc_now(900)) - now >= timedelta(seconds=900)
    assert whole_seconds("2026-11-21T07:00:00.123Z") == whole_seconds("2026-11-21T07:00:00Z") == "2026-11-21T07:00:00Z"


def test_executions_are_named_by_their_job() -> None:
    arn = execution_arn("arn:aws:states:eu-central-1:123456789012:stateMachine:jobs-analyse", "job-1")
    assert arn == "arn:aws:states:eu-central-1:123456789012:execution:jobs-analyse:job-1"
