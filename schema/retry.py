"""Retry loop with exponential back-off and full jitter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_random = random.SystemRandom()


def full_jitter(failures: int, first_seconds: float, longest_seconds: float) -> float:
    """Choose a pause at random: exponential back-off with full jitter.

    The random pause spreads out the retries of clients that failed at the same time.
    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Parameters
    ----------
    failures
        Attempts that have failed, from 1.
    first_seconds
        Longest pause after the first failure; it doubles with each further one.
    longest_seconds
        Longest pause after any failure.

    Returns
    -------
    Seconds.
    """
    return _random.uniform(0, min(longest_seconds, first_seconds * 2 ** min(failures - 1, 30)))


@dataclass(frozen=True)
class Backoff:
    """Number of attempts, and bounds of the pauses that `full_jitter` chooses.

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
        """Choose a pause.

        Parameters
        ----------
        failures
            Attempts that have failed, from 1.
        at_least
            Shortest pause that the other side asks for, in seconds, as in the header `Retry-After`.

        Returns
        -------
        Seconds.
        """
        jitter = full_jitter(failures, self.first_seconds, self.longest_seconds)
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
        Shortest pause before the next attempt, in seconds. The loop's body sets it if the other side asks for a pause.
    at_once
        The next attempt needs no pause. The loop's body sets it.
    """

    number: int
    is_last: bool
    pause_at_least: float = 0
    at_once: bool = False


def attempts(backoff: Backoff, sleep: Callable[[float], None] = time.sleep) -> Iterator[Attempt]:
    """Yield attempts, pausing between them.

    The loop's body returns, breaks or raises when it is done. Otherwise the attempt counts as failed. A loop that runs
    to its end has failed in every attempt::

        for attempt in attempts(Backoff(5, 0.1, 2)):
            unread = read(unread)
            if not unread:
                return
        raise TimeoutError("...")

    Parameters
    ----------
    backoff
        Number of attempts and their pauses.
    sleep
        Waits a number of seconds.
    """
    for number in range(1, backoff.attempts + 1):
        attempt = Attempt(number, number == backoff.attempts)
        yield attempt
        if not attempt.is_last and not attempt.at_once:
            sleep(backoff.pause(number, attempt.pause_at_least))
