"""Lists of projects: a page takes three calls at most, however many projects a user has."""

from __future__ import annotations

import msgspec

from handlers.common.concurrency import both
from handlers.common.table import Table
from handlers.projects.access import may_see
from handlers.projects.project_models import Project
from schema import projects as keys


class ProjectLists:
    """The lists of active and of archived projects that each user has."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, caller: str, archived: bool, limit: int, position: str | None) -> tuple[list[Project], str | None]:
        """List a user's projects, newest first.

        The page may be short of projects that have just been archived, brought back or unshared, because the index
        follows the table within moments.

        Parameters
        ----------
        caller
            The user.
        archived
            List archived projects instead of active ones.
        limit
            At most so many.
        position
            The project to begin with; the newest when absent.

        Returns
        -------
        The projects, and where the next page begins, if there is one.
        """
        high = position or keys.AFTER_ALL_IDS
        membership = keys.membership(caller, active=not archived)
        listed, former = both(
            lambda: self._projects(keys.BY_MEMBERSHIP, membership, high, limit + 1),
            # Active and archived ones: which of them a project is, only the project says.
            lambda: self._projects(keys.BY_USER, caller, high, limit + 1),
        )
        found = sorted({*listed, *former}, reverse=True)[: limit + 1]
        items = self._table.get_all([keys.project_key(project) for project in found[:limit]])
        projects = [msgspec.convert(item, Project) for item in items if item]
        # The project itself says who may see it.
        shown = [project for project in projects if may_see(project, caller) and project.active is not archived]
        return shown, found[limit] if len(found) > limit else None

    def _projects(self, index: str, partition: str, high: str, limit: int) -> list[str]:
        """Read the ids of the newest projects of a partition of an index."""
        name, sort = {keys.BY_MEMBERSHIP: keys.BY_MEMBERSHIP_KEYS, keys.BY_USER: keys.BY_USER_KEYS}[index]
        condition = f"#{name} = :partition AND #{sort} <= :high"
        entries = self._table.query(condition, {"partition": partition, "high": high}, limit, index)
        return [entry[sort] for entry in entries]
