"""What one document may still use, and what it has used: time and paid requests."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from handlers.batch.errors import DocumentError


class Work:
    """The work on one document. Methods are called from several threads.

    Parameters
    ----------
    seconds
        Time limit.
    clock
        Seconds that only grow.

    Attributes
    ----------
    usage
        What was used, by the names of `prices.py`.
    notes
        What the user should know of a document that was delivered.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self.usage: Counter[str] = Counter()
        self.characters = 0
        self.notes: list[str] = []

    @property
    def seconds(self) -> float:
        """Seconds since the work began."""
        return self._clock() - self._started

    @property
    def remaining(self) -> float:
        """Seconds until the time limit, below 0 after it."""
        return self._seconds - self.seconds

    def check(self) -> None:
        """Stop the work on a document whose time is up.

        Raises
        ------
        DocumentError
            The time limit has passed.
        """
        if self.remaining <= 0:
            raise DocumentError(f"It takes longer than the time limit of {self._seconds:g} seconds.")

    def use(self, name: str, number: int) -> None:
        """Count something that costs money."""
        with self._lock:
            self.usage[name] += number

    def note(self, text: str) -> None:
        """Add a remark to the document's report, once."""
        with self._lock:
            if text not in self.notes:
                self.notes.append(text)
