"""Two calls at once, where neither needs what the other answers: who waits for both waits for the longer one."""

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
        Called here. When it fails, that is what is raised, whatever the other one does.
    second
        Called in a thread. It must change nothing, as it is called even where the first one fails.

    Returns
    -------
    What the two return.
    """
    beside = _threads.submit(second)
    try:
        answer = first()
    finally:
        wait([beside])  # Lambda halts the process after the answer: nothing may be on its way then
    return answer, beside.result()
