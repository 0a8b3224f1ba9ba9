"""What jobs hold of the quotas: slots of running jobs, and characters of the day.

A user's item, and one of the stack, name the jobs that hold a slot. A job enters both in the transaction that records
it, which also reserves its characters. It leaves them when somebody looks: jobs that have ended are found by their
records, which the state machine keeps. So no crash holds a slot for ever, and each job is settled once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from handlers.common.problems import Problem
from handlers.common.quotas import day_expiry, day_of, over_daily_quota, over_quota, room
from handlers.common.table import Item, RefusedError, Table
from schema.jobs import REPORT_FILE, RUNNING, STARTED_AT
from schema.projects import Key, job_key
from schema.quotas import CHARACTERS, MEMBERS, STACK, Quotas, day_key, job_of_member, jobs_key, member_of

# Attribute of a job's item: characters that were reserved when it started.
RESERVED = "reserved"
# A larger report is not read; its job keeps what it reserved.
_MOST_REPORT_BYTES = 50_000_000


class _Totals(msgspec.Struct, frozen=True):
    # Programs that do not tell what they sent tell what they read, which is no less.
    characters: int
    sent_characters: int | None = None

    @property
    def sent(self) -> int:
        return self.characters if self.sent_characters is None else self.sent_characters


class _Report(msgspec.Struct, frozen=True):
    totals: _Totals


class JobSlots:
    """The jobs that hold slots.

    Parameters
    ----------
    table
        The documents table.
    s3
        A client of S3.
    bucket
        Bucket of the results.
    quotas
        The quotas.
    clock
        Returns the present time in seconds since 1970.
    """

    def __init__(
        self, table: Table, s3: Any, bucket: str, quotas: Quotas, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._s3 = s3
        self._bucket = bucket
        self._quotas = quotas
        self._clock = clock

    def take(self, item: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Make the four actions that take a slot and reserve characters, of the user and of the stack.

        Parameters
        ----------
        item
            The job's item, with `reserved`.
        """
        quotas, user = self._quotas, item["requested_by"]
        return [
            self._slot(user, item, quotas.running_jobs),
            self._slot(STACK, item, quotas.stack_running_jobs),
            self._characters(user, item[RESERVED], quotas.characters_per_day),
            self._characters(STACK, item[RESERVED], quotas.stack_characters_per_day),
        ]

    def _slot(self, user: str, item: Mapping[str, Any], limit: int) -> dict[str, Any]:
        member = member_of(item["project"], item["job"])
        has_room = f"attribute_not_exists(#{MEMBERS}) OR size(#{MEMBERS}) < :limit OR contains(#{MEMBERS}, :member)"
        return self._table.increase_action(
            jobs_key(user), {MEMBERS: frozenset((member,))}, has_room, {"limit": limit, "member": member}
        )

    def _characters(self, user: str, characters: int, limit: int) -> dict[str, Any]:
        now = self._clock()
        key, has_room = day_key(user, day_of(now)), room(CHARACTERS, limit, characters)
        return self._table.increase_action(key, {CHARACTERS: characters}, *has_room, day_expiry(now))

    def refusal(self, refused: Mapping[int, Item]) -> Problem:
        """Say which quota is used up, by the position of the first of the actions of `take` that was refused."""
        quotas = self._quotas
        first = min(refused)
        item = refused[first]
        if first < 2:
            quota = ("running_jobs", "stack_running_jobs")[first]
            limit = (quotas.running_jobs, quotas.stack_running_jobs)[first]
            return over_quota(quota, limit, len(item.get(MEMBERS, ())), "Wait for a job to end, or cancel one.")
        quota = ("characters_per_day", "stack_characters_per_day")[first - 2]
        limit = (quotas.characters_per_day, quotas.stack_characters_per_day)[first - 2]
        return over_daily_quota(quota, limit, item.get(CHARACTERS, 0), self._clock())

    def held(self, user: str) -> list[tuple[str, str]]:
        """List project and id of the jobs that hold a slot of a user, or of the stack."""
        [item] = self._table.get_all([jobs_key(user)])
        return [job_of_member(member) for member in sorted((item or {}).get(MEMBERS, ()))]

    def settle(self, user: str) -> bool:
        """Free the slots of jobs that have ended, and the characters that they reserved and did not send.

        Parameters
        ----------
        user
            Whose jobs; those of all users for the stack.

        Returns
        -------
        Whether a slot was freed.
        """
        jobs = self.held(user)
        items = self._table.get_all([job_key(project, job) for project, job in jobs])
        ended = [
            (member_of(project, job), item)
            for (project, job), item in zip(jobs, items, strict=True)
            if item is None or item["status"] != RUNNING
        ]
        for member, item in ended:
            self._free(user, member, item or {})
        return bool(ended)

    def _free(self, user: str, member: str, item: Item) -> None:
        """Free what a job holds; nothing changes where that has been done already."""
        users = dict.fromkeys((item.get("requested_by", user), STACK))
        actions = [self._leave(jobs_key(one), member) for one in users]
        unsent = item.get(RESERVED, 0) - self._sent(item) if self._is_of_today(item) else 0
        if unsent > 0:
            key_of: list[Key] = [day_key(one, day_of(self._clock())) for one in users]
            actions += [self._table.increase_action(key, {CHARACTERS: -unsent}) for key in key_of]
        try:
            self._table.transact(actions)
        except RefusedError:
            return

    def _leave(self, key: Key, member: str) -> dict[str, Any]:
        return self._table.remove_action(
            key, {MEMBERS: frozenset((member,))}, f"contains(#{MEMBERS}, :member)", {"member": member}
        )

    def _is_of_today(self, item: Item) -> bool:
        """Tell whether a job's reservation still matters: another day has its own quota."""
        return item.get("requested_at", "").startswith(day_of(self._clock()))

    def _sent(self, item: Item) -> int:
        """Find out how many characters a job has sent; all that it reserved, where that is not known."""
        if STARTED_AT not in item:
            return 0
        key = item["results"] + REPORT_FILE
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        if not listed or listed[0]["Size"] > _MOST_REPORT_BYTES:
            return item[RESERVED]
        content = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        try:
            return min(item[RESERVED], msgspec.json.decode(content, type=_Report).totals.sent)
        except msgspec.DecodeError:  # of which ValidationError is one
            return item[RESERVED]
