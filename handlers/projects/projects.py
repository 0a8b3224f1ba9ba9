"""Projects: who owns them, who they are shared with, and what they are called."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
from msgspec import UNSET

from handlers.common.problems import FieldError, Problem, invalid
from handlers.common.table import ABSENT, RefusedError, Table, keyed
from handlers.common.times import utc_now
from handlers.projects.access import ProjectAccess, archived, owned, visible
from handlers.projects.members import Members, too_many_shares
from handlers.projects.project_models import NewProject, Project, ProjectChanges
from schema import projects as keys
from schema.limits import PROJECT_SHARES
from schema.names import PROJECT_NAME_EXPECTED, normalise_project_name
from schema.retry import Backoff, attempts

# Changes that meet another change of the same project: the project is read again, without a pause.
CONFLICTS = Backoff(attempts=4, first_seconds=0, longest_seconds=0)
# Condition: owner, members and state of a project are those that were read; `members_of` gives the values.
UNCHANGED = "#owner = :owner AND #active = :active AND #shared_with = :shared_with"


class Projects(ProjectAccess):
    """The projects of all users, for those who make and change them."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._members = Members(table)

    def create(self, project_id: str, new: NewProject, caller: str) -> Project:
        """Create a project.

        Parameters
        ----------
        project_id
            Its id. When the same request created it before, it stays as it is.
        new
            What it shall be.
        caller
            Who is to own it.
        """
        now = utc_now()
        shares = _shares(new.shared_with, caller)
        project = Project(project_id, _checked_name(new.name), caller, shares, True, now, now, caller, new.description)
        item = {**keyed(keys.project_key(project_id)), **msgspec.structs.asdict(project)}
        alone = msgspec.structs.replace(project, shared_with=[])
        actions = [
            self._table.put_action(item, ABSENT),
            *self._members.list_project(alone),
            *self._members.add(project, shares),
        ]
        try:
            self._table.transact(actions)
        except RefusedError as error:
            if 0 in error.refused:
                return msgspec.convert(error.refused[0], Project)
            raise too_many_shares(actions, error.refused) from None
        return project

    def change(self, project_id: str, caller: str, changes: ProjectChanges) -> Project:
        """Change a project.

        Raises
        ------
        Problem
            It does not exist or is not the caller's, it is archived and not brought back, others keep changing it, or
            others share too many projects with a user already.
        """
        wanted = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not UNSET}
        if not wanted:
            return _changeable(self.get(project_id, caller), caller, wanted)
        if "name" in wanted:
            wanted["name"] = _checked_name(wanted["name"])
        shared_with = wanted.pop("shared_with", None)
        change = self._restore if "active" in wanted else self._describe
        if shared_with is None:
            return change(project_id, caller, wanted)
        if wanted:
            change(project_id, caller, wanted)
        return self._share(project_id, caller, shared_with)

    def _describe(self, project_id: str, caller: str, wanted: dict[str, Any]) -> Project:
        """Change what a project is called, in one call."""
        key, changes = keys.project_key(project_id), {**wanted, **changed_now(caller)}
        values = {"owner": caller, "active": True}
        try:
            item = self._table.update(key, changes, "#owner = :owner AND #active = :active", values)
        except RefusedError as error:
            _changeable(visible(error.refused[0], caller), caller, wanted)
            raise
        return msgspec.convert(item, Project)

    def _restore(self, project_id: str, caller: str, wanted: dict[str, Any]) -> Project:
        """Bring an archived project back, with the other changes, to the lists of all who may see it."""
        for _ in attempts(CONFLICTS):
            project = owned(self.get(project_id, caller), caller)
            if project.active:
                with contextlib.suppress(RefusedError):  # it was archived since it was read
                    return self._describe(project_id, caller, wanted)
                continue
            restored = msgspec.structs.replace(project, **wanted, **changed_now(caller))
            if self._transact(project, {**wanted, **changed_now(caller)}, self._members.list_project(restored)):
                return restored
        raise project_changed()

    def _share(self, project_id: str, caller: str, users: list[str]) -> Project:
        """Change who may see a project. Where many leave and many come, those who leave do so first."""
        for _ in attempts(CONFLICTS):
            project = _changeable(self.get(project_id, caller), caller, {})
            before, after = project.shared_with, _shares(users, project.owner)
            leaving = [user for user in before if user not in after]
            coming = [user for user in after if user not in before]
            is_whole = len(leaving) + len(coming) <= PROJECT_SHARES
            if not is_whole:
                after, coming = [user for user in before if user in after], []
            changes = {"shared_with": after, **changed_now(caller)}
            members = [*self._members.remove(project_id, leaving), *self._members.add(project, coming)]
            if self._transact(project, changes, members) and is_whole:
                return msgspec.structs.replace(project, **changes)
        raise project_changed()

    def _transact(self, project: Project, changes: dict[str, Any], members: list[dict[str, Any]]) -> bool:
        """Change a project and the items of its members, all or nothing.

        Returns
        -------
        Whether it was done; otherwise the project was changed since it was read.

        Raises
        ------
        Problem
            Others share too many projects with a user already.
        """
        update = self._table.update_action(keys.project_key(project.project), changes, UNCHANGED, members_of(project))
        actions = [update, *members]
        try:
            self._table.transact(actions)
        except RefusedError as error:
            if 0 in error.refused:
                return False
            raise too_many_shares(actions, error.refused) from None
        return True


def _changeable(project: Project, caller: str, wanted: dict[str, Any]) -> Project:
    if not owned(project, caller).active and "active" not in wanted:
        raise archived(project)
    return project


def changed_now(caller: str) -> dict[str, Any]:
    """Make the attributes of a project that note who changed it, and when."""
    return {"updated_at": utc_now(), "updated_by": caller}


def members_of(project: Project) -> dict[str, Any]:
    """Make the values of the condition `UNCHANGED`."""
    return {"owner": project.owner, "active": project.active, "shared_with": project.shared_with}


def project_changed() -> Problem:
    """Refuse a change that others were faster than in every attempt."""
    return Problem("project-changed", "The project is being changed by others. Try again.", retry_after=1)


def _checked_name(name: str) -> str:
    try:
        return normalise_project_name(name)
    except ValueError:
        raise invalid(FieldError("name", PROJECT_NAME_EXPECTED)) from None


def _shares(users: list[str], owner: str) -> list[str]:
    return [user for user in dict.fromkeys(users) if user != owner]
