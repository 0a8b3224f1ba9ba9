"""What each endpoint's function does, as requests that tell whether they worked."""

from __future__ import annotations

import functools
import itertools
import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from local.demo.pipeline_client import add_companies
from local.deploy.stack import LocalStack
from schema.endpoint import Endpoint
from schema.endpoints import ENDPOINTS
from schema.projects import FORMER_RESULTS_PREFIX
from schema.templates import fill

Use = Callable[[], bool]
TEXT = b"A wonderful company. Its products are a joy to use, and its people are friendly."
# A model whose files are not there: whether it is there, the API has to look.
NO_MODEL = {"engine": "marian", "source": "en", "target": "de"}
OPTIONS: dict[str, dict[str, Any]] = {"analyse": {}, "translate": {"target": "de"}}

_numbers = itertools.count(1)


def completes(user: ApiUser, project: str, job: str) -> None:
    """Wait until a job is completed."""
    ended = user.follow_job(project, job)
    assert ended["status"] == "completed", ended


class ApiUses:
    """Everything the endpoints' functions do.

    Parameters
    ----------
    stack
        The deployed product.
    user
        Who uses it.
    """

    def __init__(self, stack: LocalStack, user: ApiUser) -> None:
        self._stack = stack
        self._user = user
        self._another = ApiUser(stack, "another@example.com")
        self._started: list[tuple[str, str]] = []
        self.project = self._project()
        self.document = user.upload(self.project, "text.txt", TEXT)
        self.jobs = {kind: user.start_job(self.project, kind, options) for kind, options in OPTIONS.items()}
        for job in self.jobs.values():
            completes(user, self.project, job)
        add_companies(stack, ["Permitted"])

    def all(self) -> dict[str, list[Use]]:
        """What each function does, by its name behind `product-api-`: what is told here, or else its example."""
        told = {
            "companies_change": [self._changes_companies],
            "company_delete": [self._deletes_company],
            "company_put": [lambda: self._answers(200, "PUT", "/companies/Permitted", {"page": f"P {next(_numbers)}"})],
            "document_delete": [self._deletes_document],
            "documents_create": [self._uploads_document],
            "job_cancel": [
                lambda: self._cancels_job("analyse"),
                lambda: self._cancels_job("translate"),
                lambda: self._cancels_job_without_an_answer("analyse"),
                lambda: self._cancels_job_without_an_answer("translate"),
            ],
            "job_results": [self._links_to_results, self._links_to_former_results],
            "jobs_create": [
                self._looks_for_a_model,
                self._marks_a_job_that_is_not_started,
                lambda: self._starts_in_place_of_an_abandoned_job("analyse"),
                lambda: self._starts_in_place_of_an_abandoned_job("translate"),
                lambda: self._starts_job("analyse"),
                lambda: self._starts_job("translate"),
            ],
            "jobs_list": [
                lambda: self._answers(200, "GET", f"{self._path()}/jobs"),
                lambda: self._answers(200, "GET", f"{self._path()}/jobs?status=completed"),
            ],
            "project_archive": [self._archives_project],
            "project_change": [self._changes_project],
            "project_leave": [self._leaves_project],
            "projects_create": [self._creates_a_shared_project],
            "sentiment": [self._analyses_once],
        }
        return {
            one.script.replace("_", "-"): told.get(one.script) or [functools.partial(self._answers_example, one)]
            for one in ENDPOINTS
        }

    def _answers_example(self, endpoint: Endpoint) -> bool:
        known = {"project": self.project, "document": self.document, "job": self.jobs["analyse"], "name": "Permitted"}
        path = fill(endpoint.described_path, **known)
        return self._answers(min(endpoint.answers), endpoint.method, path, endpoint.example)

    def clear(self) -> None:
        """Stop jobs that are still running."""
        for project, job in self._started:
            self._user.request("DELETE", f"/projects/{project}/jobs/{job}")
        self._started.clear()

    def _answers(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> bool:
        return self._user.request(method, path, body, headers).status_code == status

    def _path(self, project: str | None = None) -> str:
        return f"/projects/{project or self.project}"

    def _project(self) -> str:
        return self._user.create_project(f"Permissions {next(_numbers)}")

    def _changes_companies(self) -> bool:
        """Add a company, change its page, rename it and remove it: each has its own permission."""
        first, second = (f"Changed {next(_numbers)}" for _ in range(2))
        expected = {
            "added": {"action": "add", "name": first},
            "updated": {"action": "put", "name": first, "page": "Page"},
            "renamed": {"action": "rename", "name": first, "new_name": second},
            "removed": {"action": "remove", "name": second},
        }
        for result, change in expected.items():
            answer = self._user.request("POST", "/companies", {"changes": [change]})
            if answer.status_code != 200 or answer.json()["results"][0]["result"] != result:
                return False
        return True

    def _deletes_company(self) -> bool:
        add_companies(self._stack, ["Watched no more"])
        return self._answers(204, "DELETE", "/companies/Watched%20no%20more")

    def _deletes_document(self) -> bool:
        document = self._user.upload(self.project, "short-lived.txt", b"x")
        return self._answers(204, "DELETE", f"{self._path()}/documents/{document}")

    def _uploads_document(self) -> bool:
        answer = self._user.request("POST", f"{self._path()}/documents", {"name": "a.txt"})
        if answer.status_code != 201:
            return False
        form = answer.json()["form"]
        return httpx.post(form["url"], data=form["fields"], files={"file": ("a.txt", b"x")}).is_success

    def keeps_the_first_upload(self) -> bool:
        """Told of two uploads of a document, its function deletes the second."""
        announced = self._user.call("POST", f"{self._path()}/documents", {"name": "late.txt"})
        key, bucket = announced["form"]["fields"]["key"], self._stack.outputs["documents_bucket"]
        s3, lambda_ = self._stack.aws.client("s3"), self._stack.aws.client("lambda")
        # Put, not posted: S3 tells nobody of it.
        versions = [s3.put_object(Bucket=bucket, Key=key, Body=b"x")["VersionId"] for _ in range(2)]
        objects = [{"key": key, "versionId": version} for version in versions]
        event = {"Records": [{"s3": {"bucket": {"name": bucket}, "object": uploaded}} for uploaded in objects]}
        [function] = [
            one.id
            for one in self._stack.deployment.resources
            if (one.type, one.name) == ("aws:lambda/function:Function", "product-withdraw")
        ]
        lambda_.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        left = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        self._user.call("DELETE", f"{self._path()}/documents/{announced['document']['document']}")
        return [version["VersionId"] for version in left] == versions[:1]

    def _links_to_results(self, job: str | None = None) -> bool:
        answer = self._user.request("GET", f"{self._path()}/jobs/{job or self.jobs['analyse']}/results")
        return answer.status_code == 200 and httpx.get(answer.json()["results"][0]["url"]).is_success

    def _links_to_former_results(self) -> bool:
        """A job of version 0.1.0 has its results where its record says."""
        former = fill(FORMER_RESULTS_PREFIX, project=self.project, job=new_id())
        bucket, table = self._stack.outputs["documents_bucket"], self._stack.outputs["documents_table"]
        self._stack.aws.client("s3").put_object(Bucket=bucket, Key=f"{former}report.json", Body=b"{}")
        dynamodb = self._stack.aws.client("dynamodb")
        key = {"pk": {"S": f"PROJECT#{self.project}"}, "sk": {"S": f"JOB#{self.jobs['translate']}"}}
        item = dynamodb.get_item(TableName=table, Key=key)["Item"]
        dynamodb.put_item(TableName=table, Item={**item, "results": {"S": former}})
        try:
            return self._links_to_results(self.jobs["translate"])
        finally:
            dynamodb.put_item(TableName=table, Item=item)

    def _archives_project(self) -> bool:
        return self._answers(204, "DELETE", self._path(self._project()))

    def _changes_project(self) -> bool:
        """Change the name of a new project, share it, and stop sharing it."""
        path = self._path(self._project())
        changes = [{"name": "Changed"}, {"shared_with": ["somebody"]}, {"shared_with": []}]
        return all(self._answers(200, "PATCH", path, change) for change in changes)

    def _leaves_project(self) -> bool:
        """Another user shares a project with this one, who leaves it."""
        body = {"name": "Shared", "shared_with": [self._user_id()]}
        shared = self._another.call("POST", "/projects", body)["project"]
        return self._answers(204, "DELETE", f"{self._path(shared)}/members/me")

    def _user_id(self) -> str:
        return self._user.call("GET", self._path())["owner"]

    def _creates_a_shared_project(self) -> bool:
        return self._answers(201, "POST", "/projects", {"name": "Shared", "shared_with": ["somebody"]})

    def _starts_job(self, kind: str) -> bool:
        return self._start(kind) is not None

    def _start(self, kind: str) -> tuple[str, str] | None:
        project = self._with_document()
        body = {"kind": kind, "options": OPTIONS[kind]}
        answer = self._user.request("POST", f"{self._path(project)}/jobs", body)
        if answer.status_code != 202:
            return None
        self._started.append((project, answer.json()["job"]))
        return self._started[-1]

    def _with_document(self) -> str:
        project = self._project()
        self._user.upload(project, "text.txt", TEXT)
        return project

    def _looks_for_a_model(self) -> bool:
        return self._answers(422, "POST", f"{self._path()}/jobs", {"kind": "translate", "options": NO_MODEL})

    def _marks_a_job_that_is_not_started(self) -> bool:
        """Step Functions refuses to start it: it is recorded as failed, and the next one of its kind may run."""
        project = self._with_document()
        control = self._stack.aws.control
        control.add_fault("states", operation="StartExecution", times=1, status=400, code="StateMachineDeleting")
        try:
            refused = self._answers(503, "POST", f"{self._path(project)}/jobs", {"kind": "analyse"})
        finally:
            control.clear_faults()
        [job] = self._user.call("GET", f"{self._path(project)}/jobs")["jobs"] or [{"status": "none"}]
        return refused and job["status"] == "failed"

    def _starts_in_place_of_an_abandoned_job(self, kind: str) -> bool:
        """A job that was begun long ago, and whose execution was stopped in Step Functions, is in nobody's way."""
        started = self._start(kind)
        if not started:
            return False
        project, job = started
        machine = self._stack.outputs["state_machines"][kind]
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:{job}"
        self._stack.aws.client("stepfunctions").stop_execution(executionArn=execution)
        self._stack.aws.client("dynamodb").update_item(
            TableName=self._stack.outputs["documents_table"],
            Key={"pk": {"S": f"PROJECT#{project}"}, "sk": {"S": f"JOB#{job}"}},
            UpdateExpression="SET requested_at = :long_ago",
            ExpressionAttributeValues={":long_ago": {"S": "2026-01-01T00:00:00Z"}},
        )
        body = {"kind": kind, "options": OPTIONS[kind]}
        answer = self._user.request("POST", f"{self._path(project)}/jobs", body)
        if answer.status_code == 202:
            self._started.append((project, answer.json()["job"]))
        return answer.status_code == 202

    def _cancels_job(self, kind: str) -> bool:
        started = self._start(kind)
        assert started, f"no {kind} job to cancel"
        return self._answers(200, "DELETE", "/projects/{}/jobs/{}".format(*started))

    def _cancels_job_without_an_answer(self, kind: str) -> bool:
        """Step Functions stops the execution, but the answers are lost: the function looks whether it still runs."""
        control = self._stack.aws.control
        control.add_fault("states", operation="StopExecution", drop="response")
        try:
            return self._cancels_job(kind)
        finally:
            control.clear_faults()

    def _analyses_once(self) -> bool:
        key = str(uuid.uuid4())
        body = {"texts": ["Good."]}
        return all(self._answers(200, "POST", "/sentiment", body, **{"idempotency-key": key}) for _ in range(2))
