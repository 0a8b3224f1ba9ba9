"""Items of a project's members: they put the project on each member's list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.common.problems import FieldError, Problem
from handlers.common.table import Item, Table, keyed
from handlers.projects.project_models import Project
from schema import projects as keys
from schema.limits import SHARED_PROJECTS

Action = dict[str, Any]
_COUNT = "projects"
_HAS_ROOM = f"attribute_not_exists(#{_COUNT}) OR #{_COUNT} < :most"


class Members:
    """Makes actions of transactions that keep the items of members.

    A transaction that adds or removes members changes the project as well, on the condition that its members are those
    that were read. Therefore no item of a member is ever left behind.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def list_project(self, project: Project) -> list[Action]:
        """Put a project on the list of active or archived projects of everybody who may see it."""
        others = [self._put(project, user, "member") for user in project.shared_with]
        return [self._put(project, project.owner, "owner"), *others]

    def add(self, project: Project, users: Iterable[str]) -> list[Action]:
        """Add members to a project, and count it as shared with them; two actions each."""
        return [action for user in users for action in (self._put(project, user, "member"), self._count(user))]

    def remove(self, project_id: str, users: Iterable[str]) -> list[Action]:
        """Remove members from a project, and count it as shared with them no longer; two actions each."""
        return [
            action
            for user in users
            for action in (
                self._table.delete_action(keys.member_key(project_id, user)),
                self._table.add_action(keys.shared_key(user), _COUNT, -1),
            )
        ]

    def _put(self, project: Project, user: str, role: str) -> Action:
        # Without the attribute `user`, so that the item leaves the index `by-user`.
        key, partition = keys.member_key(project.project, user), keys.membership(user, project.active)
        return self._table.put_action({**keyed(key), "membership": partition, "project": project.project, "role": role})

    def _count(self, user: str) -> Action:
        return self._table.add_action(keys.shared_key(user), _COUNT, 1, _HAS_ROOM, {"most": SHARED_PROJECTS})


def too_many_shares(actions: list[Action], refused: Mapping[int, Item]) -> Problem:
    """Say with whom a project cannot be shared, because others share too many with them already.

    Parameters
    ----------
    actions
        Those of the transaction.
    refused
        Which of them were refused; their users have no room.
    """
    prefix = keys.shared_key("")[0]
    users = [actions[position]["Update"]["Key"][keys.PARTITION_KEY]["S"].removeprefix(prefix) for position in refused]
    expected = f"users with whom others share fewer than {SHARED_PROJECTS} projects; {', '.join(users)} can leave some"
    return Problem("too-many-shares", f"shared_with: {expected}.", [FieldError("shared_with", expected)])
