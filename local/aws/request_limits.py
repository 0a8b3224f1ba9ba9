"""Limits on requests, as Wikimedia sets them for clients of its APIs.

https://www.mediawiki.org/wiki/Wikimedia_APIs/Rate_limits
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

# An e-mail address or a web page in the User-Agent.
_CONTACT = re.compile(r"[^\s@()]+@[^\s@()]+|https?://[^\s()]+")


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one client.

    Parameters
    ----------
    per_minute, per_minute_with_contact
        Requests in a minute, without and with a contact in the ``User-Agent``.
    at_once
        Requests under way at the same time.
    minute_seconds
        Length of a minute in seconds; shorter ones make tests short.
    """

    per_minute: int = 10
    per_minute_with_contact: int = 200
    at_once: int = 3
    minute_seconds: float = 60.0


class Limiter:
    """Counts the requests of a client and refuses what is over the limits; safe to use from several threads.

    Parameters
    ----------
    now
        Returns the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._under_way = 0
        self.set(None)

    def set(self, limits: Limits | None) -> None:
        """Set the limits, or with None remove them; forget earlier requests."""
        with self._lock:
            self._limits = limits
            self._times: deque[float] = deque()
            self.most_at_once = 0

    def enter(self, user_agent: str) -> int | None:
        """Let a request in, which has to `leave`; or return the seconds after which it may come again."""
        with self._lock:
            retry_after = self._refuse(user_agent)
            if retry_after is None:
                self._under_way += 1
                self.most_at_once = max(self.most_at_once, self._under_way)
            return retry_after

    def leave(self) -> None:
        """End a request that was let in."""
        with self._lock:
            self._under_way -= 1

    def _refuse(self, user_agent: str) -> int | None:
        limits, now = self._limits, self._now()
        if limits is None:
            return None
        while self._times and self._times[0] <= now - limits.minute_seconds:
            self._times.popleft()
        most = limits.per_minute_with_contact if has_contact(user_agent) else limits.per_minute
        if len(self._times) >= most:
            return max(1, math.ceil(self._times[0] + limits.minute_seconds - now))
        if self._under_way >= limits.at_once:
            return 1
        self._times.append(now)
        return None


def has_contact(user_agent: str) -> bool:
    """Tell whether a ``User-Agent`` names an e-mail address or a web page."""
    return _CONTACT.search(user_agent) is not None
