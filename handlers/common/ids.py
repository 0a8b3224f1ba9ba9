"""New ids of projects, documents and jobs."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

_NANOSECONDS = 1_000_000
_RANDOM_BITS = 62


def new_id() -> str:
    """Make an id: a UUID of version 7, as text.

    Its first 48 bits are the milliseconds since 1970, the 12 bits after the version are the fraction of the
    millisecond: ids made by one process one after the other sort as they were made.

    Source: RFC 9562, sections 5.7 and 6.2 (method 3).
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), _NANOSECONDS)
    fraction = nanoseconds * 4096 // _NANOSECONDS
    upper = milliseconds << 16 | 0x7000 | fraction
    lower = 0b10 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return str(UUID(int=upper << 64 | lower))
