"""Starting jobs: one of a kind in a project at a time, held by a condition in the table."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.common.concurrency import both
from handlers.common.logs import logger
from handlers.common.problems import FieldError, Problem, invalid
from handlers.common.table import ABSENT, Item, RefusedError, Table
from handlers.common.times import utc_now
from handlers.projects.access import ProjectAccess, archived, require_active
from handlers.projects.executions import Executions, NotStartedError, execution_arn
from handlers.projects.jobs import end_actions, job_of
from handlers.projects.models import Job, JobRequest, Kind
from handlers.projects.project_models import Project
from schema import projects as keys
from schema.job_kind import Model, OptionError
from schema.jobs import CAUSE, FAILED, FINISHED_AT, KINDS, REJECTED, RUNNING, execution_input, job_record, status_record
from schema.limits import JOB_OPTIONS_CHARACTERS

# Longest time between a job's record and its execution: the function that makes both has 29 seconds.
STARTING_SECONDS = 60


class JobStarter:
    """Starts jobs.

    Parameters
    ----------
    table
        Table of jobs.
    s3
        Client of S3.
    stepfunctions
        Client of Step Functions.
    bucket
        Bucket of documents, models and results.
    state_machines
        ARNs of the state machines by kind of job.
    isolated
        Jobs of a kind that can work without a network have none.
    """

    def __init__(
        self,
        table: Table,
        s3: Any,
        stepfunctions: Any,
        bucket: str,
        state_machines: dict[Kind, str],
        isolated: bool = False,
    ) -> None:
        self._table = table
        self._projects = ProjectAccess(table)
        self._s3 = s3
        self._executions = Executions(stepfunctions)
        self._bucket = bucket
        self._state_machines = state_machines
        self._isolated = isolated

    def start(self, project_id: str, job_id: str, new: JobRequest, caller: str) -> Job:
        """Start a job.

        Parameters
        ----------
        project_id
            Id of the project whose documents it works on.
        job_id
            Its id, and the name of its execution. A request that is repeated with the same id continues where it broke
            off.
        new
            The request.
        caller
            Id of the user who requests it.

        Raises
        ------
        Problem
            The project is missing, not the caller's, or archived, it has no uploaded documents, the model that the
            options need is missing, the options need a network that the job does not have, or a job of this kind runs:
            then this one is recorded as rejected.
        TimeoutError
            It is unknown whether the job was started. It stays recorded as running, until the request is repeated with
            the same id, the job is cancelled, or another one is started and this one turns out not to run.
        """
        project, has_documents = both(
            lambda: self._projects.get(project_id, caller),
            lambda: self._has_objects(keys.documents_prefix(project_id)),
        )
        require_active(project)
        if not has_documents:
            raise Problem("no-documents", "Upload a document first: the project has none whose content has arrived.")
        model = self._model_of(new)
        item = self._record(project, self._item(project_id, job_id, new, caller))
        if item["status"] == REJECTED:
            raise Problem("job-running", f"{item[CAUSE]} This one is recorded as rejected.", recorded=True)
        if item["status"] == RUNNING:
            item = self._execute(item, model.name if model else None)
        return job_of(item)

    def _has_objects(self, prefix: str) -> bool:
        return self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)["KeyCount"] > 0

    def _model_of(self, new: JobRequest) -> Model | None:
        """Find the model that a job needs, if it needs one."""
        isolated = self._isolated and new.kind.can_be_isolated
        try:
            model = new.kind.model(msgspec.structs.asdict(new.options), isolated)
        except OptionError as error:
            raise _invalid(error) from None
        if model and not self._has_objects(keys.model_prefix(model.name)):
            raise _invalid(model.missing)
        return model

    def _item(self, project_id: str, job_id: str, new: JobRequest, caller: str) -> Item:
        return job_record(
            project=project_id,
            job=job_id,
            kind=new.kind.name,
            options=_options(new),
            status=RUNNING,
            requested_by=caller,
            requested_at=utc_now(),
            execution=execution_arn(self._state_machines[new.kind.name], job_id),
        )

    def _record(self, project: Project, item: Item, may_end_another: bool = True) -> Item:
        """Record a job as running, or as rejected while another one runs.

        Returns
        -------
        The job's item, which an earlier attempt may have written.
        """
        project_id = project.project
        try:
            self._table.transact(
                [
                    self._table.put_action(item, ABSENT),
                    self._lock(project_id, item["kind"], item["job"]),
                    self._table.check_action(keys.project_key(project_id), "#active = :active", {"active": True}),
                ]
            )
        except RefusedError as error:
            refused = error.refused
        else:
            return item
        if 2 in refused:
            raise archived(project)
        if 0 in refused:
            return refused[0]
        if may_end_another and self._end_abandoned(project_id, refused[1]["job"]):
            return self._record(project, item, may_end_another=False)
        return self._reject(item, refused[1])

    def _end_abandoned(self, project_id: str, job_id: str) -> bool:
        """End a job that is recorded as running while no execution runs it.

        The function that recorded it died before it started the execution, or somebody stopped the execution in Step
        Functions. Without this, only cancelling would end such a job.

        Returns
        -------
        Whether another job of the kind may start now.
        """
        item = self._table.get(keys.job_key(project_id, job_id))
        if item is None or item["status"] != RUNNING:
            return True
        if item["requested_at"] > utc_now(-STARTING_SECONDS) or self._executions.is_running(item["execution"]):
            return False
        logger.warning("job abandoned", extra={"job": job_id})
        cause = "It was not running any more: its execution was not started, or stopped from outside."
        return self._mark_failed(item, cause)["status"] != RUNNING

    def _lock(self, project_id: str, kind: Kind, job_id: str) -> dict[str, Any]:
        partition, sort = keys.lock_key(project_id, kind)
        lock = {keys.PARTITION_KEY: partition, keys.SORT_KEY: sort, "job": job_id}
        return self._table.put_action(lock, ABSENT)

    def _reject(self, item: Item, lock: Item) -> Item:
        """Record that a job was not started because another one runs."""
        cause = f"Another {item['kind']} job was running in the project: {lock['job']}."
        rejected = {**item, **status_record(item["project"], REJECTED), FINISHED_AT: utc_now(), CAUSE: cause}
        try:
            self._table.put(rejected, ABSENT)
        except RefusedError as error:
            return error.refused[0]  # an attempt whose answer was lost wrote it
        return rejected

    def _execute(self, item: Item, model: str | None) -> Item:
        """Start a job's execution; returns the job's item as it is then."""
        given = execution_input(
            KINDS[item["kind"]],
            bucket=self._bucket,
            project=item["project"],
            job=item["job"],
            options=item["options"],
            model=model,
        )
        try:
            self._executions.start(self._state_machines[item["kind"]], item["job"], msgspec.json.encode(given).decode())
        except NotStartedError as error:
            item = self._mark_failed(item, "The job could not be started.")
            if item["status"] == FAILED:
                raise Problem("unavailable", "The job could not be started. Try again.", retry_after=5) from error
        return item

    def _mark_failed(self, item: Item, cause: str) -> Item:
        """Record that a job has failed, unless it has ended or its execution has begun since it was read.

        An execution that begins later finds the job failed, and does nothing.

        Returns
        -------
        The job's item as it is then.
        """
        try:
            self._table.transact(end_actions(self._table, item, FAILED, cause))
        except RefusedError as error:
            if 0 not in error.refused:
                raise
            logger.warning("job has begun or ended already", extra={"job": item["job"]})
            return error.refused[0]
        return {**item, **status_record(item["project"], FAILED), CAUSE: cause, FINISHED_AT: utc_now()}


def _options(new: JobRequest) -> str:
    options = msgspec.json.encode(new.options).decode()
    if len(options) > JOB_OPTIONS_CHARACTERS:
        raise invalid(FieldError("options", f"at most {JOB_OPTIONS_CHARACTERS} characters of JSON"))
    return options


def _invalid(error: OptionError) -> Problem:
    return invalid(FieldError(f"options.{error.option}", error.expected))
