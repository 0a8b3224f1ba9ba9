"""How long to wait before another attempt."""

from __future__ import annotations

import random


def full_jitter(attempt: int, base: float, cap: float) -> float:
    """Delay before a retry: exponential backoff with full jitter.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Parameters
    ----------
    attempt
        How many attempts have failed, from 1.
    base
        Longest delay after the first failure, in seconds; it doubles with every further one.
    cap
        Longest delay ever, in seconds.

    Returns
    -------
    Seconds, evenly spread from 0 to the longest delay of this attempt.
    """
    return random.uniform(0, min(cap, base * 2 ** min(attempt - 1, 30)))  # noqa: S311 - not a secret
