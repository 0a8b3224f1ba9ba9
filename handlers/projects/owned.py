"""The number of active projects that a user owns, which is a quota."""

from __future__ import annotations

from typing import Any

from handlers.common.problems import Problem
from handlers.common.quotas import over_quota, room
from handlers.common.table import Item, Table
from schema.quotas import PROJECTS, Quotas, held_key


class OwnedProjects:
    """Makes actions of transactions that count a user's active projects.

    Projects that were created before they were counted are not in the counter: archiving one of them leaves room for
    one more than the quota.

    Parameters
    ----------
    table
        The documents table.
    limit
        Active projects that one user owns.
    """

    def __init__(self, table: Table, limit: int = Quotas.projects) -> None:
        self._table = table
        self._limit = limit

    def take(self, user: str) -> dict[str, Any]:
        """Count one more, where there is room."""
        return self._table.increase_action(held_key(user), {PROJECTS: 1}, *room(PROJECTS, self._limit, 1))

    def give_back(self, user: str) -> dict[str, Any]:
        """Count one less."""
        return self._table.increase_action(held_key(user), {PROJECTS: -1})

    def refusal(self, item: Item) -> Problem:
        """Refuse one more; `item` is the user's counter."""
        return over_quota("projects", self._limit, item.get(PROJECTS, 0), "Archive a project first.")
