"""Projects and jobs of the HTTP API's users in tests, and what lies behind them in AWS."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from handlers.api.support.registry import Operation
from handlers.common.table import Item
from local.demo.api_client import RUNNING, ApiUser
from local.deploy.stack import LocalStack
from schema import projects as keys
from schema.dynamodb import decode
from tests.integration.harness import wait_until
from tests.support.operations import path_with

# A name for requests that are about any company.
COMPANY = "Any Company"
TO_GERMAN = {"source": "en", "target": "de"}
PROBLEM_JSON = "application/problem+json"
# Longer than the batch program waits for an answer before it asks again.
_HELD_SECONDS = 15
_ENDED = ("Completed", "Failed", "Stopped")


class Backstage:
    """What the API's users do not see of their jobs: records, executions and processing jobs."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.control = stack.aws.control
        self._table = stack.outputs["documents_table"]

    def client(self, service: str) -> Any:
        return self.stack.aws.client(service)

    def item(self, key: keys.Key) -> Item | None:
        found = self.client("dynamodb").get_item(
            TableName=self._table, Key={"pk": {"S": key[0]}, "sk": {"S": key[1]}}, ConsistentRead=True
        )
        return decode(found["Item"]) if "Item" in found else None

    def record(self, project: str, job: str) -> Item:
        item = self.item(keys.job_key(project, job))
        assert item is not None
        return item

    def lock(self, project: str, kind: str) -> Item | None:
        """Return what keeps a second job of a kind from running."""
        return self.item(keys.lock_key(project, kind))

    def machine(self, kind: str) -> str:
        return self.stack.outputs["state_machines"][kind]

    def execution(self, kind: str, name: str) -> dict[str, Any]:
        return self.client("stepfunctions").describe_execution(executionArn=self.execution_arn(kind, name))

    def execution_arn(self, kind: str, name: str) -> str:
        return f"{self.machine(kind).replace(':stateMachine:', ':execution:')}:{name}"

    def ended(self, kind: str, name: str) -> dict[str, Any]:
        """Wait for the end of an execution: a job's record says moments before that it has ended."""
        wait_until(lambda: self.execution(kind, name)["status"] != "RUNNING", 30, f"the end of execution {name}")
        return self.execution(kind, name)

    def executions(self, kind: str, project: str) -> list[str]:
        """Names of all executions for a project."""
        pages = (
            self.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=self.machine(kind))
        )
        names = [found["name"] for page in pages for found in page["executions"]]
        return [name for name in names if json.loads(self.execution(kind, name)["input"]).get("project") == project]

    def states(self, kind: str, name: str) -> list[str]:
        """Names of the states that an execution has been in, each time it was."""
        pages = (
            self.client("stepfunctions")
            .get_paginator("get_execution_history")
            .paginate(executionArn=self.execution_arn(kind, name))
        )
        entered = [event.get("stateEnteredEventDetails") for page in pages for event in page["events"]]
        return [details["name"] for details in entered if details]

    def processing_jobs(self, job: str) -> dict[str, str]:
        """Status of a job's processing jobs, by their names."""
        found = self.client("sagemaker").list_processing_jobs(NameContains=job, MaxResults=100)
        return {one["ProcessingJobName"]: one["ProcessingJobStatus"] for one in found["ProcessingJobSummaries"]}

    def processing_ended(self, job: str) -> dict[str, str]:
        """Wait for the end of a job's processing jobs, and return their status."""
        wait_until(lambda: all(one in _ENDED for one in self.processing_jobs(job).values()), 30, f"the end of {job}")
        return self.processing_jobs(job)

    @contextmanager
    def held(self, text: str) -> Iterator[None]:
        """Keep translations of documents with a text from ending for as long as the context lasts."""
        self.control.add_fault("translate", operation="TranslateText", contains=text, delay=_HELD_SECONDS)
        try:
            yield
        finally:
            self.control.clear_faults()

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Have state machines wait a hundredth of the time before they try again."""
        self._scale_waits(0.01)
        try:
            yield
        finally:
            self._scale_waits(1)

    def _scale_waits(self, factor: float) -> None:
        settings = {"stepfunctions._SFN_WAIT_SCALE": factor}
        answer = httpx.post(f"{self.stack.aws.endpoint}/_ministack/config", json=settings)
        assert answer.json()["applied"] == settings


def subject(user: ApiUser) -> str:
    """Return the id by which the API knows somebody."""
    return claims(user.token)["sub"]


def claims(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def project_with(user: ApiUser, *texts: str) -> str:
    """Create a project with documents of these texts, and return its id."""
    project = user.create_project("Texts")
    for number, text in enumerate(texts):
        user.upload(project, f"{number}.txt", text.encode())
    return project


def jobs_of(user: ApiUser, project: str) -> list[dict[str, Any]]:
    """All jobs of a project, newest first."""
    return user.call("GET", f"/projects/{project}/jobs?limit=100")["jobs"]


def run(user: ApiUser, project: str, kind: str = "translate", options: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a job to its end and return it."""
    job = user.start_job(project, kind, TO_GERMAN if kind == "translate" and options is None else options)
    return user.follow_job(project, job)


def processing(user: ApiUser, backstage: Backstage, project: str, kind: str = "translate") -> str:
    """Start a job, and return its id once its program runs."""
    job = user.start_job(project, kind, TO_GERMAN if kind == "translate" else {})
    wait_until(lambda: "InProgress" in backstage.processing_jobs(job).values(), 30, f"processing of job {job}")
    assert user.call("GET", f"/projects/{project}/jobs/{job}")["status"] == RUNNING
    return job


def assert_problem(answer: httpx.Response, status: int, kind: str, *fields: str) -> dict[str, Any]:
    """Hold that an answer is a problem as RFC 9457 describes it, about these fields, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (f"urn:cloud-nlp:problem:{kind}", status)
    assert problem["title"]
    assert problem["detail"]
    named = {error["field"] for error in problem.get("errors", [])}
    assert set(fields) == named
    assert all(error["expected"] for error in problem.get("errors", []))
    return problem


def path_of(operation: Operation, project: str) -> str:
    """An endpoint's path, with a project and the company of this story; other things are not there."""
    latest = {"job": "latest"} if "job" in operation.parameters else {}
    return path_with(operation, project=project, name=COMPANY, **latest)


def example(operation: Operation) -> dict[str, Any]:
    """A body that an endpoint takes."""
    assert operation.example is not None, operation.script
    return dict(operation.example)


def without_accents(text: str) -> str:
    """Undo what the embedded Amazon Translate does to a text."""
    decomposed = unicodedata.normalize("NFD", text.replace("[de] ", "").replace("\\[de\\] ", ""))
    return "".join(character for character in decomposed if not unicodedata.combining(character))
