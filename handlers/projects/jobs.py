"""Jobs of a project: reading and cancelling them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.common.concurrency import both
from handlers.common.problems import Problem, not_found
from handlers.common.table import ABSENT, BETWEEN, Item, RefusedError, Table
from handlers.common.times import utc_now, whole_seconds
from handlers.projects.access import ProjectAccess, visible
from handlers.projects.executions import Executions
from handlers.projects.models import Job, Kind
from schema import projects as keys
from schema.jobs import CANCELLED, CAUSE, FAILED, FINISHED_AT, LATEST, RUNNING, STARTED_AT, Status, status_record


class Jobs:
    """The jobs of all projects."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._projects = ProjectAccess(table)

    def list(
        self, project_id: str, caller: str, status: Status | None, limit: int, position: str | None
    ) -> tuple[list[Job], str | None]:
        """List a project's jobs, newest first.

        Parameters
        ----------
        project_id
            Whose jobs.
        caller
            Who asks.
        status
            Only jobs with this status.
        limit
            At most so many.
        position
            The job to begin with; the newest when absent.

        Returns
        -------
        The jobs, and the one with which the next page begins, if there is one.

        Raises
        ------
        Problem
            The project does not exist or is not the caller's.
        """
        _, items = both(
            lambda: self._projects.get(project_id, caller),
            lambda: self._items(project_id, status, limit + 1, position or keys.AFTER_ALL_IDS),
        )
        return [job_of(item) for item in items[:limit]], items[limit]["job"] if len(items) > limit else None

    def _items(self, project_id: str, status: Status | None, limit: int, high: str) -> list[Item]:
        if status:
            return self._table.query(
                "#project_status = :project_status AND #job <= :high",
                {"project_status": keys.project_status(project_id, status), "high": high},
                limit,
                keys.BY_STATUS,
            )
        partition, low = keys.job_key(project_id, "")
        return self._table.query(BETWEEN, {"partition": partition, "low": low, "high": low + high}, limit)

    def get(self, project_id: str, job_id: str, caller: str, kind: Kind | None = None) -> Job:
        """Read a job.

        Parameters
        ----------
        project_id
            Whose job.
        job_id
            Its id, or `latest`.
        caller
            Who asks.
        kind
            With `latest`: the kind whose last completed job is meant.

        Raises
        ------
        Problem
            The project or the job does not exist, or the project is not the caller's.
        """
        return job_of(self._item(project_id, job_id, caller, kind))

    def get_with_results(self, project_id: str, job_id: str, caller: str, kind: Kind | None = None) -> tuple[Job, str]:
        """Read a job like `get`, and the prefix of its results in the bucket, which its record holds."""
        item = self._item(project_id, job_id, caller, kind)
        return job_of(item), item["results"]

    def _item(self, project_id: str, job_id: str, caller: str, kind: Kind | None = None) -> Item:
        latest = keys.latest_key(project_id, kind) if job_id == LATEST and kind else None
        key = latest or keys.job_key(project_id, job_id)
        project, item = self._table.get_all([keys.project_key(project_id), key])
        visible(project, caller)
        if latest and item:
            [item] = self._table.get_all([keys.job_key(project_id, item["job"])])
        if item is None:
            raise not_found("job")
        return item

    def cancel(self, project_id: str, job_id: str, caller: str, executions: Executions) -> Job:
        """Cancel a job that runs. Cancelling it again changes nothing.

        The table is changed first, in a transaction that competes with the state machine's: only one of the two finds
        the job running. Then the execution is stopped. If that fails, cancelling the job again stops it.

        Parameters
        ----------
        project_id
            Whose job.
        job_id
            The job.
        caller
            Who cancels it.
        executions
            The executions of jobs.

        Raises
        ------
        Problem
            The project or the job does not exist, the project is not the caller's, or the job has ended.
        """
        item = self._item(project_id, job_id, caller)
        if item["status"] == RUNNING:
            item = self._mark_cancelled(item, caller)
        if item["status"] != CANCELLED:
            raise Problem("job-not-running", f"The job is {item['status']}; only a running job can be cancelled.")
        executions.stop(item["execution"], item[CAUSE])
        return job_of(item)

    def _mark_cancelled(self, item: Item, caller: str) -> Item:
        """Mark a job cancelled if it still runs.

        Returns
        -------
        Its item after that.
        """
        cause = f"Cancelled by {caller}."
        try:
            self._table.transact(end_actions(self._table, item, CANCELLED, cause))
        except RefusedError as error:
            if 0 not in error.refused:
                raise
            return error.refused[0]
        return {**item, **status_record(item["project"], CANCELLED), CAUSE: cause, FINISHED_AT: utc_now()}


def end_actions(table: Table, item: Mapping[str, Any], status: Status, cause: str) -> list[dict[str, Any]]:
    """Make the actions that end a running job without a result: they set its status and release its lock.

    A job fails only if its execution has not begun since the job's item was read.
    """
    project_id, job_id = item["project"], item["job"]
    changes = {**status_record(project_id, status), FINISHED_AT: utc_now(), CAUSE: cause}
    condition = "#status = :running"
    if status == FAILED and STARTED_AT not in item:
        condition += f" AND attribute_not_exists(#{STARTED_AT})"
    update = table.update_action(keys.job_key(project_id, job_id), changes, condition, {"running": RUNNING})
    release = table.delete_action(keys.lock_key(project_id, item["kind"]), f"{ABSENT} OR #job = :job", {"job": job_id})
    return [update, release]


def job_of(item: Mapping[str, Any]) -> Job:
    """Turn an item into the job that it holds."""
    times = {name: whole_seconds(item[name]) for name in (STARTED_AT, FINISHED_AT) if name in item}
    return msgspec.convert({**item, **times, "options": msgspec.json.decode(item["options"])}, Job)
