"""How often a user may call an endpoint, and the one place that checks it.

Both limits use the same rule, the generic cell rate algorithm: each request moves the moment up to which a user's
requests are spent, and a request is refused while that moment lies too far ahead. One number is stored for each user.
"""

from __future__ import annotations

import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from handlers.api.support.requests import Request
from handlers.common.problems import Problem
from handlers.common.quotas import read_quotas
from handlers.common.table import RefusedError, Table
from handlers.common.times import format_time, utc_at
from schema.projects import EXPIRES
from schema.quotas import BURST_SECONDS, COSTLY_BURST_SECONDS, SPENT_UNTIL, rate_key

# Users whose requests a function instance remembers.
_MOST_USERS = 10_000
# An item that is not used for so long is as good as none.
_KEEP_SECONDS = 24 * 3600
_MILLISECONDS = 1000


class Rate(NamedTuple):
    """A sustained rate with bursts, for one user.

    Attributes
    ----------
    quota
        Name of the quota, a field of `Quotas`.
    per_second
        Sustained requests per second.
    burst_seconds
        Requests allowed at once, in seconds of the sustained rate.
    """

    quota: str
    per_second: float
    burst_seconds: float

    @property
    def interval(self) -> float:
        """Milliseconds that one request spends."""
        return _MILLISECONDS / self.per_second

    @property
    def ahead(self) -> float:
        """Milliseconds that may be spent in advance; one request may always be sent."""
        return max(0.0, self.burst_seconds * _MILLISECONDS - self.interval)

    def refusal(self, spent_until: float, now: float) -> Problem:
        """Refuse a request; the times are in milliseconds."""
        seconds = max(1, math.ceil((spent_until - self.ahead - now) / _MILLISECONDS))
        return Problem(
            "too-many-requests",
            f"The limit is {self.per_second:g} requests per second for each user. Try again in {seconds} s.",
            retry_after=seconds,
            quota=self.quota,
            limit=self.per_second,
            left=0,
            renews_at=format_time(utc_at(now / _MILLISECONDS + seconds)),
        )


class RateCheck:
    """Refuses users who call this endpoint too often.

    The memory of this function instance limits each user at no cost. An endpoint whose requests cause paid work has a
    tighter limit, which the table keeps for all instances together.

    Parameters
    ----------
    costly
        The documents table, where requests cause paid work.
    environment
        Environment variables, of which `QUOTAS` has the limits.
    clock
        Returns the present time in seconds since 1970.
    """

    def __init__(
        self,
        costly: Table | None = None,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        quotas = read_quotas(environment)
        self._table = costly
        self._rate = (
            Rate("costly_requests_per_second", quotas.costly_requests_per_second, COSTLY_BURST_SECONDS)
            if costly
            else Rate("requests_per_second", quotas.requests_per_second, BURST_SECONDS)
        )
        self._clock = clock
        self._spent_until: OrderedDict[str, float] = OrderedDict()

    def __call__(self, request: Request) -> None:
        """Count a request.

        Raises
        ------
        Problem
            The user has sent too many. A refused request does not count.
        """
        now = self._clock() * _MILLISECONDS
        # The memory first: what this instance alone has seen too often needs no write to be refused.
        self._take_in_memory(request.caller, now)
        if self._table:
            self._take_in_table(self._table, request, int(now))

    def _take_in_memory(self, user: str, now: float) -> None:
        spent_until = self._spent_until.pop(user, now)
        is_over = spent_until > now + self._rate.ahead
        self._spent_until[user] = spent_until if is_over else max(spent_until, now) + self._rate.interval
        if len(self._spent_until) > _MOST_USERS:
            self._spent_until.popitem(last=False)
        if is_over:
            raise self._rate.refusal(spent_until, now)

    def _take_in_table(self, table: Table, request: Request, now: int) -> None:
        """Count a request in the table: one write while the user is calm, two in a burst."""
        key = rate_key(request.caller, request.route)
        interval, expiry = math.ceil(self._rate.interval), {EXPIRES: now // _MILLISECONDS + _KEEP_SECONDS}
        try:
            is_calm = f"attribute_not_exists(#{SPENT_UNTIL}) OR #{SPENT_UNTIL} <= :now"
            table.update(key, {SPENT_UNTIL: now + interval, **expiry}, is_calm, {"now": now})
        except RefusedError:
            latest = {"latest": now + int(self._rate.ahead)}
            try:
                table.increase(key, {SPENT_UNTIL: interval}, f"#{SPENT_UNTIL} <= :latest", latest, expiry)
            except RefusedError as error:
                raise self._rate.refusal(error.refused[0].get(SPENT_UNTIL, now), now) from None
