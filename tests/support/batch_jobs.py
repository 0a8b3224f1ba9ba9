"""A workflow of batch jobs for the tests: its evaluation, and its definition at work on a table of the emulator."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from components.batch_job_workflow import BatchJobWorkflow, BatchJobWorkflowArgs, JobSchedule
from components.blocks.observe.notifications import Notifications
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.workflow.job_records import TRANSACT, UPDATE
from components.blocks.workflow.processing_job import CREATE_AND_WAIT as PROCESS
from components.blocks.workflow.processing_job import STOP
from components.blocks.workflow.program import BatchProgram, ProgramFiles
from schema.jobs import KINDS, RUNNING, execution_input, job_record
from tests.support.pulumi_mocks import REGION, ROOT_FOLDER, SUFFIX, Evaluation, evaluate
from tests.support.state_interpreter import EXECUTION, Execution, ServiceError

MACHINE = "aws:sfn/stateMachine:StateMachine"
PUBLISH = "arn:aws:states:::sns:publish"
BUCKET = f"files{SUFFIX}"
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/batch:1"
NIGHTLY = JobSchedule(
    "nightly",
    expression="cron(0 2 * * ? *)",
    project="p1",
    options='{"target":"de"}',
    fields={"model": "opus-mt-en-de"},
)
JOB = "0192f0c1-2345-7abc-8def-0123456789ab"
_ENTRY = ROOT_FOLDER / "handlers" / "batch" / "run.py"
NOW = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def declare(
    name: str = "translate",
    announced: bool = True,
    preview: bool = False,
    files: ProgramFiles | None = None,
    **arguments: Any,
) -> Evaluation:
    def build() -> None:
        bucket = PrivateBucket("files")
        args = {
            "kind": "translate",
            "table": Table("documents", hash_key="pk", range_key="sk"),
            "bucket": bucket,
            "program": BatchProgram("program", bucket=bucket, files=files or ProgramFiles(_ENTRY, {})),
            "image": IMAGE,
            "inputs": KINDS["translate"].channels,
            "job_topic": Notifications("told", emails=["you@example.com"]) if announced else None,
        }
        BatchJobWorkflow(name, BatchJobWorkflowArgs(**{**args, **arguments}))

    return evaluate(build, preview=preview)


@cache
def plain() -> Evaluation:
    """The workflow without any choices made."""
    return declare()


def definition_of(evaluation: Evaluation) -> dict[str, Any]:
    return evaluation.document(MACHINE, key="definition")


@dataclass
class Records:
    """The table that a definition writes to, in the emulator; services for the interpreter."""

    client: Any
    name: str

    def put(self, sort_key: str, **attributes: str) -> None:
        item = {
            "pk": {"S": "PROJECT#p1"},
            "sk": {"S": sort_key},
            **{key: {"S": value} for key, value in attributes.items()},
        }
        self.client.put_item(TableName=self.name, Item=item)

    def get(self, sort_key: str) -> dict[str, Any] | None:
        key = {"pk": {"S": "PROJECT#p1"}, "sk": {"S": sort_key}}
        item = self.client.get_item(TableName=self.name, Key=key).get("Item")
        return {name: value["S"] for name, value in item.items() if name not in ("pk", "sk")} if item else None

    def start_job(self) -> None:
        """Write what the API writes before it starts an execution."""
        record = job_record(
            project="p1",
            job=JOB,
            kind="translate",
            options="{}",
            status=RUNNING,
            requested_by="ann",
            requested_at="2026-11-21T06:52:00Z",
            execution=EXECUTION,
        )
        keys = ("pk", "sk")
        self.put(record["sk"], **{name: one for name, one in record.items() if name not in keys})
        self.put("RUNNING#translate", job=JOB)

    def update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return self._answer("DynamoDB", self.client.update_item, {**arguments, "TableName": self.name})

    def transact(self, arguments: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(arguments).replace(f'"documents{SUFFIX}"', json.dumps(self.name)).replace('"Bool"', '"BOOL"')
        return self._answer("DynamoDb", self.client.transact_write_items, json.loads(text))

    def _answer(self, service: str, call: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            call(**arguments)
        except ClientError as error:
            raise ServiceError(f"{service}.{error.response['Error']['Code']}", str(error)) from error
        return {}


@contextmanager
def table_of_records(aws_endpoint: str) -> Iterator[Records]:
    """Make a table with an active project, and delete it in the end."""
    client = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=aws_endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    name = f"documents-{uuid.uuid4().hex}"
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
    )
    client.put_item(TableName=name, Item={"pk": {"S": "PROJECT#p1"}, "sk": {"S": "PROJECT"}, "active": {"BOOL": True}})
    try:
        yield Records(client, name)
    finally:
        client.delete_table(TableName=name)


class Jobs:
    """Stands in for SageMaker: answers each job that is created with the next of its answers, the last one for ever."""

    def __init__(self, *answers: dict[str, Any] | ServiceError) -> None:
        self.answers = list(answers) or [{"ProcessingJobStatus": "Completed"}]
        self.created: list[dict[str, Any]] = []
        self.stopped: list[str] = []

    def create(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.created.append(arguments)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    def stop(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Stop a job; there is none whose creation was refused."""
        self.stopped.append(arguments["ProcessingJobName"])
        raise ServiceError("SageMaker.ResourceNotFoundException")


def failed(**description: str) -> ServiceError:
    return ServiceError("States.TaskFailed", json.dumps({"ProcessingJobStatus": "Failed", **description}))


def run(
    records: Records, jobs: Jobs, evaluation: Evaluation | None = None, given: dict[str, Any] | None = None
) -> tuple[Execution, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []

    def publish(arguments: dict[str, Any]) -> dict[str, Any]:
        told.append(arguments)
        return {}

    services = {
        UPDATE: records.update,
        TRANSACT: records.transact,
        PROCESS: jobs.create,
        STOP: jobs.stop,
        PUBLISH: publish,
    }
    started_with = execution_input(KINDS["translate"], bucket=BUCKET, project="p1", job=JOB, options="{}")
    execution = Execution(definition_of(evaluation or plain()), services).run(given or started_with)
    return execution, told
