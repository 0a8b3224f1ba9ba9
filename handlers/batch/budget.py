"""Budget of one document: its time limit, and what it has used of time and paid requests."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from handlers.batch.errors import DocumentError


class Budget:
    """Time limit of one document, and what it has used. Its methods are called from several threads.

    Parameters
    ----------
    seconds
        Time limit, from now.
    clock
        Monotonic clock, in seconds.

    Attributes
    ----------
    usage
        Paid quantities by the names of `prices.py`.
    characters
        Characters of text that were read, without markup.
    counted
        Characters that were counted before anything was paid for: at least as many as are sent.
    sent
        Characters that were sent to paid services, each once.
    notes
        Remarks for the report of a document that is delivered.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self.usage: Counter[str] = Counter()
        self.characters = 0
        self.counted = 0
        self.sent = 0
        self.notes: list[str] = []

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    @property
    def remaining(self) -> float:
        """Seconds until the time limit; negative after it."""
        return self._seconds - self.seconds

    def check(self) -> None:
        """Stop when the time limit has passed.

        Raises
        ------
        DocumentError
            The time limit has passed.
        """
        if self.remaining <= 0:
            raise DocumentError(f"It takes longer than the time limit of {self._seconds:g} seconds.")

    def extend(self, seconds: float) -> None:
        """Give more time, for what was waited for and is not the document's own affair."""
        self._seconds += seconds

    def send(self, characters: int) -> None:
        """Count characters that are sent to a paid service."""
        with self._lock:
            self.sent += characters

    def use(self, name: str, number: int) -> None:
        """Count a paid quantity."""
        with self._lock:
            self.usage[name] += number

    def note(self, text: str) -> None:
        """Add a remark to the document's report, once."""
        with self._lock:
            if text not in self.notes:
                self.notes.append(text)
