"""Retries: how often, and with which pauses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_random = random.SystemRandom()


@dataclass(frozen=True)
class Backoff:
    """Exponential back-off with full jitter.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Attributes
    ----------
    attempts
        Attempts in all; at least 1.
    first_seconds
        Longest pause after the first failure; it doubles with each further one.
    longest_seconds
        Longest pause after any failure.
    """

    attempts: int
    first_seconds: float
    longest_seconds: float

    def pause(self, failures: int, at_least: float = 0) -> float:
        """Choose a random pause, so that clients that failed together do not come back together.

        Parameters
        ----------
        failures
            Attempts that have failed, from 1.
        at_least
            Seconds that the other side asks to be left alone, as in the header `Retry-After`.

        Returns
        -------
        Seconds.
        """
        longest = min(self.longest_seconds, self.first_seconds * 2 ** min(failures - 1, 30))
        jitter = _random.uniform(0, longest)
        return max(at_least + jitter / 10, jitter) if at_least else jitter


@dataclass
class Attempt:
    """One attempt of a loop over `attempts`.

    Attributes
    ----------
    number
        From 1.
    is_last
        No further attempt follows: what fails now is final.
    pause_at_least
        Set it before the loop goes on, where the other side asks for a pause, in seconds.
    """

    number: int
    is_last: bool
    pause_at_least: float = 0


def attempts(backoff: Backoff, sleep: Callable[[float], None] = time.sleep) -> Iterator[Attempt]:
    """Yield attempts, with a pause between each two of them.

    A loop returns, breaks or raises when it is done; going on to the next round means that the attempt failed. A loop
    that runs to its end has failed in every attempt::

        for attempt in attempts(Backoff(5, 0.1, 2)):
            unread = read(unread)
            if not unread:
                return
        raise TimeoutError("...")

    Parameters
    ----------
    backoff
        How often, and with which pauses.
    sleep
        Waits a number of seconds.
    """
    for number in range(1, backoff.attempts + 1):
        attempt = Attempt(number, number == backoff.attempts)
        yield attempt
        if not attempt.is_last:
            sleep(backoff.pause(number, attempt.pause_at_least))
