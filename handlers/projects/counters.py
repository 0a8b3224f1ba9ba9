"""Counters of what lasts: active projects of a user, and documents of a project.

A counter is changed beside what it counts, without a transaction. What a crash leaves between the two is found when the
quota is reached, or where there is no counter yet: then the things themselves are counted.
"""

from __future__ import annotations

from collections.abc import Callable

from handlers.common.quotas import over_quota
from handlers.common.table import Item, RefusedError, Table
from schema import projects as keys
from schema.projects import Key
from schema.quotas import DOCUMENTS, PROJECTS, Quotas, counts_key, held_key


class Counter:
    """A counter with a quota.

    Parameters
    ----------
    table
        The documents table.
    quota
        Name of the quota, a field of `Quotas`.
    attribute
        Attribute that holds the number.
    limit
        The quota.
    advice
        How to get room, for refusals.
    """

    def __init__(self, table: Table, *, quota: str, attribute: str, limit: int, advice: str) -> None:
        self._table = table
        self._quota = quota
        self._attribute = attribute
        self._limit = limit
        self._advice = advice

    def take(self, key: Key, count: Callable[[], int]) -> None:
        """Count one more.

        Parameters
        ----------
        key
            The counter's item.
        count
            Counts the things themselves.

        Raises
        ------
        Problem
            There are as many as there may be.
        """
        try:
            self._table.increase(key, {self._attribute: 1}, f"#{self._attribute} < :limit", {"limit": self._limit})
        except RefusedError as error:
            self._recount(key, count(), error.refused[0])

    def give_back(self, key: Key) -> None:
        """Count one less."""
        self._table.increase(key, {self._attribute: -1})

    def _recount(self, key: Key, found: int, counted: Item) -> None:
        """Set the counter to what was found, and one more."""
        if found >= self._limit:
            raise over_quota(self._quota, self._limit, found, self._advice)
        name, seen = self._attribute, counted.get(self._attribute)
        is_unchanged = f"attribute_not_exists(#{name})" if seen is None else f"#{name} = :seen"
        try:
            self._table.update(key, {name: found + 1}, is_unchanged, {} if seen is None else {"seen": seen})
        except RefusedError:
            # Somebody else has just counted them.
            self._table.increase(key, {name: 1})


class DocumentCounter:
    """Counts the documents of a project.

    Parameters
    ----------
    table
        The documents table.
    limit
        Documents of a project.
    """

    def __init__(self, table: Table, limit: int = Quotas.documents) -> None:
        self._table = table
        advice = "Delete documents, or use another project."
        self._counter = Counter(table, quota="documents", attribute=DOCUMENTS, limit=limit, advice=advice)

    def take(self, project_id: str) -> None:
        """Count one more, or refuse it with a `Problem`."""
        self._counter.take(counts_key(project_id), lambda: self._count(project_id))

    def give_back(self, project_id: str) -> None:
        """Count one less."""
        self._counter.give_back(counts_key(project_id))

    def _count(self, project_id: str) -> int:
        partition, low = keys.document_key(project_id, "")
        return self._table.count(partition, low, low + keys.AFTER_ALL_IDS)


class OwnedProjects:
    """Counts the active projects that a user owns.

    Parameters
    ----------
    table
        The documents table.
    limit
        Active projects that one user owns.
    """

    def __init__(self, table: Table, limit: int = Quotas.projects) -> None:
        self._table = table
        advice = "Archive a project first."
        self._counter = Counter(table, quota="projects", attribute=PROJECTS, limit=limit, advice=advice)

    def take(self, user: str) -> None:
        """Count one more, or refuse it with a `Problem`."""
        self._counter.take(held_key(user), lambda: self._count(user))

    def give_back(self, user: str) -> None:
        """Count one less."""
        self._counter.give_back(held_key(user))

    def _count(self, user: str) -> int:
        """Count in the index, which follows the table within moments; projects of version 0.1.0 are not in it."""
        return self._table.count_index(
            keys.BY_MEMBERSHIP,
            "#membership = :list",
            "#role = :owner",
            {"list": keys.membership(user, True), "owner": "owner"},
        )
