"""Projects: who owns them, who they are shared with, and what they are called."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from handlers.common.problems import Problem, not_found
from handlers.common.table import ABSENT, Item, RefusedError, Table, keyed
from handlers.common.times import utc_now
from handlers.projects.project_models import NewProject, Project, ProjectChanges
from schema import projects as keys
from schema.retry import Backoff, attempts

# Changes that meet another change of the same project: the project is read again, without a pause.
CONFLICTS = Backoff(attempts=3, first_seconds=0, longest_seconds=0)


class Projects:
    """The projects of all users; each user sees their own and those shared with them."""

    def __init__(self, table: Table) -> None:
        self._table = table

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
        project = Project(project_id, new.name, caller, shares, True, now, now, caller, new.description)
        item = {**keyed(keys.project_key(project_id)), **msgspec.structs.asdict(project)}
        members = [self._member_put(project_id, user, "member") for user in shares]
        owner = self._member_put(project_id, caller, "owner")
        try:
            self._table.transact([self._table.put_action(item, ABSENT), owner, *members])
        except RefusedError as error:
            return msgspec.convert(error.refused[0], Project)
        return project

    def get(self, project_id: str, caller: str) -> Project:
        """Read a project.

        Raises
        ------
        Problem
            There is none, or the caller may not see it.
        """
        return visible(self._table.get(keys.project_key(project_id)), caller)

    def list(self, caller: str, archived: bool, limit: int, position: str | None) -> tuple[list[Project], str | None]:
        """List a user's projects, newest first.

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
        found: list[Project] = []
        while True:
            wanted = limit + 1 - len(found)
            members = self._table.query(
                "#user = :user AND #project <= :position",
                {"user": caller, "position": position or keys.AFTER_ALL_IDS},
                wanted,
                keys.BY_USER,
            )
            items = self._table.get_all([keys.project_key(member["project"]) for member in members])
            # The index follows the table within moments: the project itself says who sees it.
            projects = [msgspec.convert(item, Project) for item in items if item]
            found += [project for project in projects if may_see(project, caller) and project.active is not archived]
            if len(found) > limit:
                return found[:limit], found[limit].project
            if len(members) < wanted:
                return found, None
            position = before(members[-1]["project"])

    def change(self, project_id: str, caller: str, changes: ProjectChanges) -> Project:
        """Change a project.

        Raises
        ------
        Problem
            It does not exist or is not the caller's, it is archived and not brought back, or others keep changing it.
        """
        wanted = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not UNSET}
        if "shared_with" in wanted:
            return self._share(project_id, caller, wanted)
        if not wanted:
            return _changeable(self.get(project_id, caller), caller, wanted)
        condition, values = "#owner = :owner", {"owner": caller}
        if "active" not in wanted:
            condition, values = f"{condition} AND #active = :active", {**values, "active": True}
        try:
            item = self._table.update(
                keys.project_key(project_id), {**wanted, **changed_now(caller)}, condition, values
            )
        except RefusedError as error:
            _changeable(visible(error.refused[0], caller), caller, wanted)
            raise
        return msgspec.convert(item, Project)

    def _share(self, project_id: str, caller: str, wanted: dict[str, Any]) -> Project:
        """Change who may see a project, with the other changes; the items of its members change with it."""
        for _ in attempts(CONFLICTS):
            project = _changeable(self.get(project_id, caller), caller, wanted)
            changes = {**wanted, "shared_with": _shares(wanted["shared_with"], project.owner), **changed_now(caller)}
            try:
                self._table.transact(self._change_actions(project, changes))
            except RefusedError:
                continue  # it was changed since it was read
            return msgspec.structs.replace(project, **changes)
        raise Problem("project-changed", "The project is being changed by others. Try again.", retry_after=1)

    def _change_actions(self, project: Project, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        update = self._table.update_action(
            keys.project_key(project.project),
            wanted,
            "#owner = :owner AND #active = :active AND #shared_with = :shared_with",
            {"owner": project.owner, "active": project.active, "shared_with": project.shared_with},
        )
        before, after = set(project.shared_with), set(wanted["shared_with"])
        leaving = [self._table.delete_action(keys.member_key(project.project, user)) for user in before - after]
        coming = [self._member_put(project.project, user, "member") for user in after - before]
        return [update, *leaving, *coming]

    def _member_put(self, project_id: str, user: str, role: str) -> dict[str, Any]:
        member = {**keyed(keys.member_key(project_id, user)), "user": user, "project": project_id, "role": role}
        return self._table.put_action(member)


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


def _changeable(project: Project, caller: str, wanted: dict[str, Any]) -> Project:
    if not owned(project, caller).active and "active" not in wanted:
        raise archived(project)
    return project


def changed_now(caller: str) -> dict[str, Any]:
    """Make the attributes of a project that note who changed it, and when."""
    return {"updated_at": utc_now(), "updated_by": caller}


def before(identifier: str) -> str:
    """Make a text that sorts directly before an id."""
    return identifier[:-1] + chr(ord(identifier[-1]) - 1) + keys.AFTER_ALL_IDS


def _shares(users: list[str], owner: str) -> list[str]:
    return [user for user in dict.fromkeys(users) if user != owner]
