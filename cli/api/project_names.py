"""Find a project by its id, or by its name where only one project has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.api.client import Api
from cli.ui.errors import CliError
from cli.ui.text import did_you_mean
from schema.ids import is_id

# Seconds after which the list has a project that was just created.
LOOK_AGAIN_S = 1.0


def project_id(api: Api, wanted: str) -> str:
    """Find the id of a project.

    Parameters
    ----------
    api : Api
    wanted : str
        Its id or its name.

    Raises
    ------
    CliError
        When no project has this name, or several have.
    """
    return wanted.lower() if is_id(wanted.lower()) else find_by_name(api, wanted)["project"]


def find_project(api: Api, wanted: str) -> dict[str, Any]:
    """Read a project.

    Parameters
    ----------
    api : Api
    wanted : str
        Its id or its name.

    Raises
    ------
    CliError
        When there is none, or several have this name.
    """
    return api.get("projects", wanted.lower()) if is_id(wanted.lower()) else find_by_name(api, wanted)


def find_by_name(api: Api, name: str) -> dict[str, Any]:
    """Find the one project that has a name, an active one rather than an archived one.

    Raises
    ------
    CliError
        When there is none, or several have it.
    """
    known: list[str] = []
    for wait_s in (0, LOOK_AGAIN_S):
        if wait_s:
            api.pause(wait_s)
        for archived in (None, "true"):
            projects = list(api.pages("projects", "projects", archived=archived))
            if found := _named(name, projects):
                return _only(name, found)
            known += [project["name"] for project in projects]
    raise CliError(f"There is no project {name!r}{did_you_mean(name, known)}: see `nlp projects list`.")


def _named(name: str, projects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    exact = [project for project in projects if project["name"] == name]
    return exact or [project for project in projects if project["name"].casefold() == name.casefold()]


def _only(name: str, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(found) > 1:
        raise CliError(
            f"{len(found)} projects are called {name!r}: give the id of the one you mean, "
            f"{', '.join(project['project'] for project in found)}."
        )
    return found[0]
