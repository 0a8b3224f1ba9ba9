"""What a user has used of the quotas."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from handlers.common.quotas import day_of, renewal
from handlers.common.table import Table
from handlers.common.times import format_time
from handlers.projects.job_slots import JobSlots
from handlers.projects.quota_models import QuotaUse
from schema.quotas import (
    BYTES,
    CHARACTERS,
    MEMBERS,
    PROJECTS,
    STACK,
    UPLOADED,
    WORDS,
    Quotas,
    day_key,
    held_key,
    jobs_key,
)

Of = Literal["user", "project", "stack"]
_OF_STACK = ("stack_characters_per_day", "stack_running_jobs", "companies")
_OF_PROJECT = ("documents",)
_DAILY = ("characters_per_day", "stack_characters_per_day", "uploaded_bytes_per_day")


class QuotaOverview:
    """Reads what is used of the quotas.

    Parameters
    ----------
    table
        The documents table.
    slots
        The slots of jobs.
    quotas
        The quotas.
    clock
        Returns the present time in seconds since 1970.
    """

    def __init__(self, table: Table, slots: JobSlots, quotas: Quotas, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._slots = slots
        self._quotas = quotas
        self._clock = clock

    def of(self, user: str) -> list[QuotaUse]:
        """List all quotas, as they are for a user, in the order of the settings."""
        self._slots.settle(user)
        now = self._clock()
        used = self._used(user, day_of(now))
        renews_at = format_time(renewal(now))
        return [self._use(quota, used.get(quota), renews_at if quota in _DAILY else None) for quota in WORDS]

    def _used(self, user: str, day: str) -> dict[str, int]:
        keys = [day_key(user, day), day_key(STACK, day), jobs_key(user), jobs_key(STACK), held_key(user)]
        of_day, stack_of_day, jobs, stack_jobs, held = (item or {} for item in self._table.get_all(keys))
        return {
            "characters_per_day": of_day.get(CHARACTERS, 0),
            "stack_characters_per_day": stack_of_day.get(CHARACTERS, 0),
            "running_jobs": len(jobs.get(MEMBERS, ())),
            "stack_running_jobs": len(stack_jobs.get(MEMBERS, ())),
            "projects": held.get(PROJECTS, 0),
            "stored_bytes": held.get(BYTES, 0),
            "uploaded_bytes_per_day": of_day.get(UPLOADED, 0),
        }

    def _use(self, quota: str, used: int | None, renews_at: str | None) -> QuotaUse:
        limit = getattr(self._quotas, quota)
        # Counters of what lasts may be below 0: what was there before they counted can be given back.
        shown = None if used is None else max(0, used)
        left = None if shown is None else max(0, limit - shown)
        return QuotaUse(quota, WORDS[quota], _of(quota), limit, shown, left, renews_at)


def _of(quota: str) -> Of:
    if quota in _OF_STACK:
        return "stack"
    return "project" if quota in _OF_PROJECT else "user"
