"""Time of a job: how long it may still run, and how much of that one document may take."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from handlers.batch.errors import DocumentError

# Share of a job's time that is kept for its beginning, which this program does not see, and for writing the results.
_RESERVED_SHARE = 0.1
_RESERVED_SECONDS = 300
_LEAST_RESERVED_SECONDS, _MOST_RESERVED_SHARE = 8, 0.25
# While others wait, a document gets at most this share of what is left, so that one that uses it up leaves some.
_SHARE = 0.5
# Place of the start in /proc/self/stat behind the program's name, in ticks since the machine's.
_START_FIELD = 19


class JobClock:
    """Time limits of a job and its documents.

    Parameters
    ----------
    job_seconds
        How long the job may run, from its start; None where nothing limits it.
    document_seconds
        Longest time for one document.
    clock
        Monotonic clock, in seconds.
    age
        Seconds since its start.

    Attributes
    ----------
    waiting
        Documents that have not begun.
    """

    def __init__(
        self,
        job_seconds: float | None,
        document_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        age: float = 0,
    ) -> None:
        self.waiting = 1
        self._clock = clock
        self._document_seconds = document_seconds
        self._end: float | None = None
        if job_seconds is not None:
            # Stopping and writing take some seconds even in a short job.
            reserved = max(
                job_seconds * _RESERVED_SHARE, min(_LEAST_RESERVED_SECONDS, job_seconds * _MOST_RESERVED_SHARE)
            )
            self._end = clock() + job_seconds - min(reserved, _RESERVED_SECONDS) - age

    @property
    def is_over(self) -> bool:
        """Whether the job has no time left."""
        return self._end is not None and self._clock() >= self._end

    def document_seconds(self) -> float:
        """Return the time limit of a document that begins now.

        Raises
        ------
        DocumentError
            The job has no time left.
        """
        if self._end is None:
            return self._document_seconds
        left = self._end - self._clock()
        if left <= 0:
            raise DocumentError("The job's time was over before it was its turn.")
        if self.waiting <= 0:  # the end of the job's time ends it, and says so
            return min(self._document_seconds, left + _RESERVED_SECONDS)
        return min(self._document_seconds, round(left * _SHARE, 1) or left)


def program_age() -> float:
    """Return how many seconds ago this program was started; 0 where the system does not tell."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_START_FIELD])
        return float(Path("/proc/uptime").read_text().split()[0]) - started / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0
