"""Following a job until it has ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cli.api.client import Api
from cli.ui.output import status_line
from schema.jobs import RUNNING

# Jobs take minutes on AWS, and seconds on the embedded one.
SHORTEST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
PAUSE_GROWTH = 1.3


def follow_job(api: Api, job: dict[str, Any], timeout: timedelta, clock: Callable[[], float]) -> dict[str, Any]:
    """Wait until a job has ended or time is up, showing its state meanwhile.

    Parameters
    ----------
    api : Api
    job : dict
        The job, as the API describes it.
    timeout : timedelta
        How long to wait at most.
    clock : callable
        Reads seconds.

    Returns
    -------
    dict
        The job as it was at last.
    """
    deadline = clock() + timeout.total_seconds()
    pause = SHORTEST_PAUSE_S
    with status_line(f"{job['kind']} job {job['job']}") as show:
        while job["status"] == RUNNING and (left := deadline - clock()) > 0:
            show(state_of(job))
            api.pause(min(pause, left))
            pause = min(LONGEST_PAUSE_S, pause * PAUSE_GROWTH)
            job = api.get("projects", job["project"], "jobs", job["job"])
    return job


def state_of(job: dict[str, Any]) -> str:
    """Say in which state a running job is: it may still wait for its machines."""
    return RUNNING if job["started_at"] else "starting"
