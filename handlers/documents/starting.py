"""Starting jobs: one of a kind in a project at a time, held by a condition in the table."""

from __future__ import annotations

from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from handlers.common.concurrency import both
from handlers.common.logs import logger
from handlers.common.problems import FieldError, Problem, invalid
from handlers.common.times import utc_now
from handlers.documents import keys
from handlers.documents.jobs import end_actions, job_of
from handlers.documents.models import Job, Kind, NewAnalyseJob, NewJob, NewTranslateJob, Status
from handlers.documents.projects import Projects, archived, require_active
from handlers.documents.table import Item, RefusedError, Table

# Amazon SageMaker: at most 256 characters an environment variable of a processing job, and this makes one.
MAX_OPTIONS_CHARACTERS = 256
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
        item = self._item(project_id, job_id, kind, _options(new), caller)
        try:
            self._table.transact(
                [
                    self._table.put_action({**item, **_running(project_id)}, _NEW),
                    self._lock(project_id, kind, job_id),
                    self._table.check_action(keys.project_key(project_id), "#active = :active", {"active": True}),
                ]
            )
            item |= _running(project_id)
        except RefusedError as error:
            if 2 in error.refused:
                raise archived(project) from None
            item = error.refused.get(0) or self._reject(item, error.refused[1])
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
        prefix = keys.model_prefix(new.options.source, new.options.target)
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
            self._mark_failed(item)
            raise Problem("unavailable", "The job could not be started. Try again.", retry_after=5) from error

    def _mark_failed(self, item: Item) -> None:
        try:
            self._table.transact(end_actions(self._table, item, "failed", "The job could not be started."))
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


def _running(project_id: str) -> dict[str, str]:
    return _status(project_id, "running")


def _status(project_id: str, status: Status) -> dict[str, str]:
    return {"status": status, "project_status": keys.project_status(project_id, status)}
