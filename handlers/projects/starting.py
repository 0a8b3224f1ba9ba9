"""Starting jobs: one of a kind in a project at a time, held by a condition in the table."""

from __future__ import annotations

from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from handlers.common.concurrency import both
from handlers.common.logs import logger
from handlers.common.problems import FieldError, Problem, invalid
from handlers.common.table import Item, RefusedError, Table
from handlers.common.times import utc_now
from handlers.projects.jobs import end_actions, job_of
from handlers.projects.models import Job, Kind, NewAnalyseJob, NewJob, NewTranslateJob, Status
from handlers.projects.project_models import Project
from handlers.projects.projects import Projects, archived, require_active
from schema import projects as keys

# Amazon SageMaker: at most 256 characters an environment variable of a processing job, and this makes one.
MAX_OPTIONS_CHARACTERS = 256
# A job's execution begins within moments of its record: the function that starts it has 29 seconds.
STARTING_SECONDS = 60
_NEW = "attribute_not_exists(pk)"


class JobStarter:
    """Starts jobs.

    Parameters
    ----------
    table
        The table of jobs.
    s3
        A client of S3.
    stepfunctions
        A client of Step Functions.
    bucket
        Where the documents are, and the results are to be.
    state_machines
        By kind of job, the ARN of the state machine that runs it.
    isolated_translation
        Translation jobs reach no service of AWS: only MarianMT translates.
    """

    def __init__(
        self,
        table: Table,
        s3: Any,
        stepfunctions: Any,
        bucket: str,
        state_machines: dict[Kind, str],
        isolated_translation: bool = False,
    ) -> None:
        self._table = table
        self._projects = Projects(table)
        self._s3 = s3
        self._stepfunctions = stepfunctions
        self._bucket = bucket
        self._state_machines = state_machines
        self._isolated_translation = isolated_translation

    def start(self, project_id: str, job_id: str, new: NewJob, caller: str) -> Job:
        """Start a job.

        Parameters
        ----------
        project_id
            Whose documents it works on.
        job_id
            Its id, and the name of its execution. When the same request came this far before, it goes on from there.
        new
            What to do.
        caller
            Who asks for it.

        Raises
        ------
        Problem
            The project is not there, not the caller's, or archived, it has no uploaded documents, there is no model of
            these languages, the engine cannot work here, or a job of this kind runs: then this one is recorded as
            rejected.
        """
        kind: Kind = "translate" if isinstance(new, NewTranslateJob) else "analyse"
        project, has_documents = both(
            lambda: self._projects.get(project_id, caller),
            lambda: self._has_objects(keys.documents_prefix(project_id)),
        )
        require_active(project)
        if not has_documents:
            raise Problem("no-documents", "Upload a document first: the project has none whose content has arrived.")
        model = self._model_of(new)
        item = self._record(project, self._item(project_id, job_id, kind, _options(new), caller))
        if item["status"] == "rejected":
            raise Problem("job-running", f"{item['cause']} This one is recorded as rejected.", recorded=True)
        if item["status"] == "running":
            self._execute(item, model)
        return job_of(item)

    def _has_objects(self, prefix: str) -> bool:
        return self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)["KeyCount"] > 0

    def _model_of(self, new: NewJob) -> str | None:
        """Find the prefix of the model that a job needs, if it needs one."""
        if isinstance(new, NewAnalyseJob):
            return None
        if new.options.engine != "marian":
            if self._isolated_translation:
                raise invalid(FieldError("options.engine", "`marian`: translation jobs reach no network here"))
            return None
        prefix = keys.model_prefix(f"opus-mt-{new.options.source}-{new.options.target}")
        if not self._has_objects(prefix):
            pair = f"{new.options.source} to {new.options.target}"
            reason = f"there is no MarianMT model from {pair}"
            if self._isolated_translation:
                raise invalid(FieldError("options.target", f"a language with a model: {reason}"))
            raise invalid(FieldError("options.engine", f"`amazon`: {reason}"))
        return prefix

    def _item(self, project_id: str, job_id: str, kind: Kind, options: str, caller: str) -> Item:
        pk, sk = keys.job_key(project_id, job_id)
        return {
            "pk": pk,
            "sk": sk,
            "job": job_id,
            "project": project_id,
            "kind": kind,
            "options": options,
            "requested_by": caller,
            "requested_at": utc_now(),
            "results": keys.results_prefix(project_id, job_id),
            "execution": execution_arn(self._state_machines[kind], job_id),
        }

    def _record(self, project: Project, item: Item, may_end_another: bool = True) -> Item:
        """Record a job as running, or as rejected while another one runs; returns its item, whoever recorded it."""
        project_id = project.project
        running = {**item, **_status(project_id, "running")}
        try:
            self._table.transact(
                [
                    self._table.put_action(running, _NEW),
                    self._lock(project_id, item["kind"], item["job"]),
                    self._table.check_action(keys.project_key(project_id), "#active = :active", {"active": True}),
                ]
            )
        except RefusedError as error:
            refused = error.refused
        else:
            return running
        if 2 in refused:
            raise archived(project)
        if 0 in refused:
            return refused[0]
        if may_end_another and self._end_abandoned(project_id, refused[1]["job"]):
            return self._record(project, item, may_end_another=False)
        return self._reject(item, refused[1])

    def _end_abandoned(self, project_id: str, job_id: str) -> bool:
        """End a job that is recorded as running while nothing runs it; tells whether the kind may be free now.

        Its execution was never started, because the function that recorded it died, or somebody stopped it in Step
        Functions, past the API. Nothing else would end such a job but cancelling it.
        """
        item = self._table.get(keys.job_key(project_id, job_id))
        if item is None or item["status"] != "running":
            return True
        if item["requested_at"] > utc_now(-STARTING_SECONDS) or self._is_executed(item["execution"]):
            return False
        logger.warning("job abandoned", extra={"job": job_id})
        self._mark_failed(item, "It was not running any more: its execution was not started, or stopped from outside.")
        return True

    def _is_executed(self, execution: str) -> bool:
        try:
            return self._stepfunctions.describe_execution(executionArn=execution)["status"] == "RUNNING"
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return False

    def _lock(self, project_id: str, kind: Kind, job_id: str) -> dict[str, Any]:
        pk, sk = keys.lock_key(project_id, kind)
        return self._table.put_action({"pk": pk, "sk": sk, "job": job_id}, _NEW)

    def _reject(self, item: Item, lock: Item) -> Item:
        """Record that a job was not started because another one runs."""
        cause = f"Another {item['kind']} job was running in the project: {lock['job']}."
        rejected = {**item, **_status(item["project"], "rejected"), "finished_at": utc_now(), "cause": cause}
        self._table.put(rejected, _NEW)
        return rejected

    def _execute(self, item: Item, model: str | None) -> None:
        execution_input = {
            "project": item["project"],
            "job": item["job"],
            "kind": item["kind"],
            "bucket": self._bucket,
            "input": f"s3://{self._bucket}/{keys.documents_prefix(item['project'])}",
            "output": f"s3://{self._bucket}/{item['results']}",
            "environment": {"JOB_OPTIONS": item["options"]},
        }
        if model:
            execution_input["model"] = f"s3://{self._bucket}/{model}"
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._state_machines[item["kind"]],
                name=item["job"],
                input=msgspec.json.encode(execution_input).decode(),
            )
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            if code == "ExecutionAlreadyExists":
                return  # this very job was started before
            logger.exception("execution not started", extra={"job": item["job"]})
            self._mark_failed(item, "The job could not be started.")
            raise Problem("unavailable", "The job could not be started. Try again.", retry_after=5) from error

    def _mark_failed(self, item: Item, cause: str) -> None:
        try:
            self._table.transact(end_actions(self._table, item, "failed", cause))
        except RefusedError:
            logger.warning("job ended by itself", extra={"job": item["job"]})  # or was cancelled meanwhile


def execution_arn(state_machine: str, job_id: str) -> str:
    """Name the execution that a job will be: an ARN."""
    return f"{state_machine.replace(':stateMachine:', ':execution:')}:{job_id}"


def _options(new: NewJob) -> str:
    options = msgspec.json.encode(new.options).decode()
    if len(options) > MAX_OPTIONS_CHARACTERS:
        raise invalid(FieldError("options", f"at most {MAX_OPTIONS_CHARACTERS} characters of JSON"))
    return options


def _status(project_id: str, status: Status) -> dict[str, str]:
    return {"status": status, "project_status": keys.project_status(project_id, status)}
