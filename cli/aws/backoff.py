"""How long to wait before something is tried again."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Exponential backoff with full jitter: six attempts are 16 s of pauses at most, and half of that on average.
ATTEMPTS = 6
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
# Whoever asks for a longer pause than this is not waited for.
LONGEST_WAIT_S = 90.0

_random = random.SystemRandom()


def pause_before(attempt: int, asked_for: float | None = None) -> float:
    """Choose a random pause, so that those who failed together do not come back together.

    Parameters
    ----------
    attempt : int
        Number of attempts that were made.
    asked_for : float, optional
        The shortest pause that the other side wants, in seconds.
    """
    jitter = _random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1)))
    return max(asked_for + jitter / 10, jitter) if asked_for is not None else jitter


def retry_after(value: str | None) -> float | None:
    """Read the header Retry-After: seconds, or a date.

    Returns
    -------
    float or None
        Seconds from now; None when the header is absent or says nothing.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - datetime.now(UTC).timestamp())
