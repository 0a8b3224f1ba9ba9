"""Find a job by its id, or the last completed job."""

from __future__ import annotations

from typing import Any

import click

from cli.api.client import Api
from cli.ui.errors import CliError
from schema.jobs import COMPLETED, LATEST


def find_job(api: Api, project: str, wanted: str, kind: str | None) -> dict[str, Any]:
    """Read a job.

    Parameters
    ----------
    api : Api
    project : str
        The project's id.
    wanted : str
        The job's id, or `latest`.
    kind : str or None
        With `latest`, the last completed job of this kind; None for the last completed job of any kind.

    Raises
    ------
    CliError
        When there is no such job.
    """
    if wanted != LATEST:
        if kind:
            raise click.UsageError("--kind is for `latest`: an id says already which job is meant.")
        return api.get("projects", project, "jobs", wanted)
    if kind:
        return api.get("projects", project, "jobs", LATEST, kind=kind)
    completed = api.get("projects", project, "jobs", status=COMPLETED, limit="1")["jobs"]
    if not completed:
        raise CliError(f"The project has no completed job yet: see `nlp jobs list -p {project}`.")
    return completed[0]
