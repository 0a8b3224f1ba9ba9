"""How requests over HTTP are retried: attempts, pauses, and the header `Retry-After`."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from schema.retry import Backoff

# The pauses of six attempts add up to 16 s at most, and to half of that on average.
BACKOFF = Backoff(attempts=6, first_seconds=0.5, longest_seconds=15)
# Longest pause in seconds that a server may ask for; after a request for a longer one, the command gives up.
LONGEST_WAIT_S = 90.0


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
