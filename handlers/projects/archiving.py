"""Archiving projects."""

from __future__ import annotations

from handlers.common.problems import Problem
from handlers.common.table import ABSENT, RefusedError, Table
from handlers.projects.projects import changed_now, owned, visible
from schema import projects as keys
from schema.jobs import KINDS


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
        The project does not exist or is not the caller's, or a job runs.
    """
    update = table.update_action(
        keys.project_key(project_id),
        {"active": False, **changed_now(caller)},
        "#owner = :owner AND #active = :active",
        {"owner": caller, "active": True},
    )
    locks = [table.check_action(keys.lock_key(project_id, kind), ABSENT) for kind in KINDS]
    try:
        table.transact([update, *locks])
    except RefusedError as error:
        if 0 in error.refused and not owned(visible(error.refused[0], caller), caller).active:
            return
        running = " and ".join(item["job"] for item in error.refused.values() if "job" in item)
        raise Problem("job-running", f"Cancel this job, or wait for it to end: {running}.") from None
