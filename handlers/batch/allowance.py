"""Characters that a job may send to paid services."""

from __future__ import annotations

import threading

from handlers.batch.errors import DocumentError


class Allowance:
    """What is left of a job's characters. Called from several threads.

    Parameters
    ----------
    characters
        Characters that may be sent; None for any number.
    """

    def __init__(self, characters: int | None) -> None:
        self._limit = characters
        self._sent = 0
        self._lock = threading.Lock()

    def spend(self, characters: int) -> None:
        """Take characters that are about to be sent.

        Raises
        ------
        DocumentError
            There are not so many left; nothing was taken.
        """
        with self._lock:
            if self._limit is not None and self._sent + characters > self._limit:
                raise DocumentError(f"The job has sent all of the {self._limit:,} characters that it may send.")
            self._sent += characters
