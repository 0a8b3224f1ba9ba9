"""When a batch of messages is given out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.sqs_batches import next_batch

NOW = 1_000.0


def messages(*visible_at: float) -> list[dict[str, Any]]:
    return [{"id": number, "visible_at": moment} for number, moment in enumerate(visible_at)]


def ids(batch: list[dict[str, Any]]) -> list[int]:
    return [message["id"] for message in batch]


@pytest.mark.parametrize(
    ("queue", "size", "window", "expected", "due"),
    [
        (messages(), 10, 5, [], None),
        (messages(NOW), 10, 0, [0], None),
        (messages(NOW), 10, 5, [], NOW + 5),
        (messages(NOW - 5), 10, 5, [0], None),
        (messages(NOW - 1, NOW), 2, 5, [0, 1], None),
        (messages(NOW, NOW, NOW), 2, 5, [0, 1], None),
        (messages(NOW + 60, NOW), 1, 5, [1], None),
        (messages(NOW + 60), 1, 5, [], None),
        # A message that became visible again waits from that moment; the oldest visible one decides.
        (messages(NOW - 1, NOW - 3, NOW + 60), 10, 4, [], NOW + 1),
        (messages(NOW - 1, NOW - 4, NOW + 60), 10, 4, [0, 1], None),
    ],
)
def test_batches(queue: list[dict[str, Any]], size: int, window: float, expected: list[int], due: float | None) -> None:
    batch, window_end = next_batch(queue, size, window, NOW)
    assert (ids(batch), window_end) == (expected, due)


@given(st.lists(st.floats(NOW - 20, NOW + 20)), st.integers(1, 30), st.floats(0, 10))
def test_a_batch_is_never_too_large_nor_held_back_too_long(moments: list[float], size: int, window: float) -> None:
    batch, due = next_batch(messages(*moments), size, window, NOW)
    visible = [moment for moment in moments if moment <= NOW]
    assert len(batch) <= size
    assert all(message["visible_at"] <= NOW for message in batch)
    if not batch and visible:
        assert len(visible) < size
        assert due == min(visible) + window > NOW
