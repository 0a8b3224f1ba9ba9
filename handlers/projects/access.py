"""Who may see a project, and whether it may be changed."""

from __future__ import annotations

import msgspec

from handlers.common.problems import Problem, not_found
from handlers.common.table import Item, Table
from handlers.projects.project_models import Project
from schema import projects as keys


class ProjectAccess:
    """The projects of all users; each user sees their own and those shared with them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, project_id: str, caller: str) -> Project:
        """Read a project.

        Raises
        ------
        Problem
            There is none, or the caller may not see it.
        """
        return visible(self._table.get(keys.project_key(project_id)), caller)


def visible(item: Item | None, caller: str) -> Project:
    """Turn an item into the project that it holds.

    Raises
    ------
    Problem
        There is no item, or the caller may not see the project.
    """
    if item:
        project = msgspec.convert(item, Project)
        if may_see(project, caller):
            return project
    raise not_found("project")


def may_see(project: Project, caller: str) -> bool:
    """Tell whether a project is a user's, or shared with them."""
    return caller == project.owner or caller in project.shared_with


def require_active(project: Project) -> None:
    """Refuse changes in an archived project."""
    if not project.active:
        raise archived(project)


def archived(project: Project) -> Problem:
    """Refuse changes of an archived project."""
    return Problem("project-archived", f"The project was archived at {project.updated_at} and is only to be read.")


def owned(project: Project, caller: str) -> Project:
    """Refuse changes by anybody but the owner."""
    if project.owner != caller:
        raise Problem("not-the-owner", "The project is shared with you; only its owner may change it.")
    return project
