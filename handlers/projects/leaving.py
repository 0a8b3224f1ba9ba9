"""Leaving a project that another user shares."""

from __future__ import annotations

from handlers.common.problems import Problem
from handlers.common.table import RefusedError, Table
from handlers.projects.access import ProjectAccess
from handlers.projects.members import Members
from handlers.projects.projects import CONFLICTS, UNCHANGED, changed_now, members_of, project_changed
from schema import projects as keys
from schema.retry import attempts


def leave(table: Table, project_id: str, caller: str) -> None:
    """Take a project off a member's list, and their right to see it.

    Parameters
    ----------
    table
        The documents table.
    project_id
        The project; it may be archived.
    caller
        The member.

    Raises
    ------
    Problem
        The project does not exist or is not shared with the caller, it is their own, or others keep changing it.
    """
    for _ in attempts(CONFLICTS):
        project = ProjectAccess(table).get(project_id, caller)
        if project.owner == caller:
            raise Problem("owner-cannot-leave", "The project is your own. Archive it, or stop sharing it.")
        others = [user for user in project.shared_with if user != caller]
        update = table.update_action(
            keys.project_key(project_id),
            {"shared_with": others, **changed_now(caller)},
            UNCHANGED,
            members_of(project),
        )
        try:
            table.transact([update, *Members(table).remove(project_id, [caller])])
        except RefusedError:
            continue  # it was changed since it was read
        return
    raise project_changed()
