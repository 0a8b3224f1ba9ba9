"""Two independent calls at once, so that their times do not add up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")

# Made at import; its threads start when they are needed.
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="beside")


def both(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """Make two calls at once, and wait for both.

    Parameters
    ----------
    first
        Runs in this thread. If it fails, its error is raised, whatever the other call does.
    second
        Runs in another thread. It must not change anything, because it runs even if the first call fails.

    Returns
    -------
    Both results.
    """
    beside = _threads.submit(second)
    try:
        answer = first()
    finally:
        wait([beside])  # Lambda freezes the process after the answer, so no call may be under way then
    return answer, beside.result()
