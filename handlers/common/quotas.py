"""Quotas: reading them, counting what is used in a day, and refusing what is over a quota."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from handlers.common.problems import Problem
from handlers.common.table import RefusedError, Table
from handlers.common.times import format_time, utc_at
from schema.projects import EXPIRES
from schema.quotas import CHARACTERS, QUOTAS_VARIABLE, STACK, WORDS, Quotas, day_key

# A day's counters are kept a week longer, for whoever asks what was used.
KEEP_SECONDS = 8 * 24 * 3600
_DAY_SECONDS = 24 * 3600


def read_quotas(environment: Mapping[str, str] = os.environ) -> Quotas:
    """Read the quotas from the environment variable `QUOTAS`; absent fields have their defaults.

    Raises
    ------
    msgspec.ValidationError
        A quota is not a number.
    """
    return msgspec.json.decode(environment.get(QUOTAS_VARIABLE, "{}"), type=Quotas)


def room(name: str, limit: int, amount: int) -> tuple[str, dict[str, int]]:
    """Write the condition that an amount can be added to a counter, with the condition's value.

    Parameters
    ----------
    name
        The counter's attribute; an absent one counts as 0.
    limit
        The quota.
    amount
        What is to be added.
    """
    before = limit - amount
    condition = f"#{name} <= :{name}_before"
    if before >= 0:
        condition = f"(attribute_not_exists(#{name}) OR {condition})"
    return condition, {f"{name}_before": before}


def over_quota(quota: str, limit: int, used: int, detail: str) -> Problem:
    """Refuse what is over the quota of an amount that lasts: it renews only when something is given back.

    Parameters
    ----------
    quota
        Name of the quota, a field of `Quotas`.
    limit
        The quota.
    used
        What is used of it.
    detail
        How to get room.
    """
    left = max(0, limit - used)
    words = _limit_and_left(quota, limit, left)
    return Problem("quota-reached", f"{words} {detail}", quota=quota, limit=limit, left=left)


def over_daily_quota(quota: str, limit: int, used: int, now: float) -> Problem:
    """Refuse what is over the quota of a day; the answer says when it renews.

    Parameters
    ----------
    quota
        Name of the quota, a field of `Quotas`.
    limit
        The quota.
    used
        What is used of it today.
    now
        The present time in seconds since 1970.
    """
    left, renews = max(0, limit - used), renewal(now)
    return Problem(
        "daily-quota",
        f"{_limit_and_left(quota, limit, left)} It renews at {format_time(renews)}.",
        retry_after=max(1, round(renews.timestamp() - now)),
        quota=quota,
        limit=limit,
        left=left,
        renews_at=format_time(renews),
    )


def day_of(now: float) -> str:
    """Return the day of a time, in UTC, such as `2026-11-21`."""
    return utc_at(now).date().isoformat()


def renewal(now: float) -> datetime:
    """Return when the day of a time ends."""
    return utc_at(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _limit_and_left(quota: str, limit: int, left: int) -> str:
    return f"The limit is {limit:,} {WORDS[quota]}, of which {left:,} {'is' if left == 1 else 'are'} left."


class Characters:
    """Counts the characters that paid services are sent: for each user, and for the stack.

    The two counters are changed one after the other, so that requests of different users do not get in each other's way
    as transactions would. What is lost between the two counts as used until the day ends.

    Parameters
    ----------
    table
        The documents table.
    quotas
        The quotas.
    clock
        Returns the present time in seconds since 1970.
    """

    def __init__(self, table: Table, quotas: Quotas, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._limits = {
            "characters_per_day": quotas.characters_per_day,
            "stack_characters_per_day": quotas.stack_characters_per_day,
        }
        self._clock = clock

    def take(self, user: str, characters: int) -> None:
        """Count characters before they are sent.

        Raises
        ------
        Problem
            That is more than is left to the user, or to the stack; nothing is counted.
        """
        now = self._clock()
        self._take(user, "characters_per_day", characters, now)
        try:
            self._take(STACK, "stack_characters_per_day", characters, now)
        except Problem:
            self._add(user, -characters, now)
            raise

    def give_back(self, user: str, characters: int) -> None:
        """Count characters no longer, because they were not sent."""
        now = self._clock()
        self._add(user, -characters, now)
        self._add(STACK, -characters, now)

    def _take(self, user: str, quota: str, characters: int, now: float) -> None:
        limit = self._limits[quota]
        condition, values = room(CHARACTERS, limit, characters)
        try:
            self._table.increase(
                day_key(user, day_of(now)), {CHARACTERS: characters}, condition, values, day_expiry(now)
            )
        except RefusedError as error:
            raise over_daily_quota(quota, limit, error.refused[0].get(CHARACTERS, 0), now) from None

    def _add(self, user: str, characters: int, now: float) -> None:
        self._table.increase(day_key(user, day_of(now)), {CHARACTERS: characters}, changes=day_expiry(now))


def day_expiry(now: float) -> dict[str, int]:
    """Make the attribute with which a day's counters expire."""
    return {EXPIRES: int(now) - int(now) % _DAY_SECONDS + KEEP_SECONDS}
