"""Archiving projects."""

from __future__ import annotations

import msgspec

from handlers.common.problems import Problem
from handlers.common.table import ABSENT, RefusedError, Table
from handlers.projects.access import ProjectAccess, owned
from handlers.projects.members import Members
from handlers.projects.projects import (
    CONFLICTS,
    UNCHANGED,
    changed_now,
    members_of,
    project_changed,
)
from schema import projects as keys
from schema.jobs import KINDS
from schema.retry import attempts


def archive(table: Table, project_id: str, caller: str) -> None:
    """Archive a project, while no job runs in it; nothing is deleted. Archiving it again changes nothing.

    Parameters
    ----------
    table
        The documents table.
    project_id
        The project.
    caller
        The user who archives it.

    Raises
    ------
    Problem
        The project does not exist or is not the caller's, a job runs, or others keep changing it.
    """
    locks = [table.check_action(keys.lock_key(project_id, kind), ABSENT) for kind in KINDS]
    for _ in attempts(CONFLICTS):
        project = owned(ProjectAccess(table).get(project_id, caller), caller)
        if not project.active:
            return
        update = table.update_action(
            keys.project_key(project_id), {"active": False, **changed_now(caller)}, UNCHANGED, members_of(project)
        )
        archived = msgspec.structs.replace(project, active=False)
        try:
            table.transact([update, *locks, *Members(table).list_project(archived)])
        except RefusedError as error:
            if 0 in error.refused:
                continue  # it was changed since it was read
            running = " and ".join(item["job"] for item in error.refused.values() if "job" in item)
            raise Problem("job-running", f"Cancel this job, or wait for it to end: {running}.") from None
        return
    raise project_changed()
