"""What state machines, schedules and processing jobs do, each use telling whether it worked."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema.projects import results_prefix
from tests.integration.processing import log_lines, wait_for, wait_for_job

Use = Callable[[], bool]
# What a job's description has of the request that made it.
_REQUESTED = (
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
)

_numbers = itertools.count(1)


class MachineUses:
    """What a kind's state machine and schedules do.

    Parameters
    ----------
    stack
        The deployed product, with a schedule for the kind.
    user
        Who owns the projects.
    kind
        Of jobs.
    """

    def __init__(self, stack: LocalStack, user: ApiUser, kind: str) -> None:
        self._stack = stack
        self._user = user
        self._machine = stack.outputs["state_machines"][kind]
        self._states = stack.aws.client("stepfunctions")
        self._rule = next(
            one.id
            for one in stack.deployment.resources
            if one.type == "aws:cloudwatch/eventRule:EventRule" and one.name.startswith(f"product-{kind}-")
        )

    def of_machine(self) -> list[Use]:
        return [self._is_made_again, self._records_a_job_that_fails]

    def of_schedule(self) -> list[Use]:
        return [self._records_a_job_that_fails]

    def _is_made_again(self) -> bool:
        """As a deployment makes it, where Step Functions makes the rule that tells of the end of jobs."""
        made = self._states.describe_state_machine(stateMachineArn=self._machine)
        try:
            again = self._states.create_state_machine(
                name=f"again-{next(_numbers)}", definition=made["definition"], roleArn=made["roleArn"]
            )
        except self._states.exceptions.ClientError:
            return False
        self._states.delete_state_machine(stateMachineArn=again["stateMachineArn"])
        return True

    def _records_a_job_that_fails(self) -> bool:
        """Started by the schedule, it goes through registration, a job of SageMaker, the record of its end, the notice.

        The documents cannot be brought to the instance, so that the job ends at once.
        """
        project = self._project_of_broken_documents()
        execution = self._start_by_schedule(project)
        if execution is None:
            return False
        refused = wait_for(lambda: self._refused_or_ended(execution), "the end of an execution")
        if refused == "refused":
            self._states.stop_execution(executionArn=execution)
            return False
        [job] = self._user.call("GET", f"/projects/{project}/jobs")["jobs"]
        return job["status"] == "failed" and "download failed" in job["cause"]

    def _project_of_broken_documents(self) -> str:
        project = self._user.create_project(f"Broken {next(_numbers)}")
        # Two instances take turns at the keys: one of them gets what is both a file and a folder.
        for name in ("a", "a-for-the-other", "a/file"):
            key = f"projects/{project}/documents/{name}"
            self._stack.aws.client("s3").put_object(Bucket=self._stack.outputs["documents_bucket"], Key=key, Body=b"x")
        return project

    def _start_by_schedule(self, project: str) -> str | None:
        """Have a rule of the test's invoke the schedule's target, for a project of the test's."""
        events, known = self._stack.aws.client("events"), self._executions()
        [target] = events.list_targets_by_rule(Rule=self._rule)["Targets"]
        given = {**json.loads(target["Input"]), "project": project}
        rule = f"now-{next(_numbers)}"
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
        events.put_targets(Rule=rule, Targets=[{**target, "Input": json.dumps(given)}])
        events.put_events(Entries=[{"Source": rule, "DetailType": "now", "Detail": "{}"}])
        events.remove_targets(Rule=rule, Ids=[target["Id"]])
        events.delete_rule(Name=rule)
        return next(iter(self._executions() - known), None)

    def _executions(self) -> set[str]:
        pages = self._states.get_paginator("list_executions").paginate(stateMachineArn=self._machine)
        return {one["executionArn"] for page in pages for one in page["executions"]}

    def _refused_or_ended(self, execution: str) -> str | None:
        history = self._states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        causes = [event["taskFailedEventDetails"]["cause"] for event in history if event["type"] == "TaskFailed"]
        if any("not authorized to perform" in cause for cause in causes):
            return "refused"
        running = self._states.describe_execution(executionArn=execution)["status"] == "RUNNING"
        return None if running else "ended"


class JobUses:
    """What the processing jobs of a kind do: those that a job of the product has had are run again.

    Parameters
    ----------
    stack
        The deployed product.
    project, jobs
        Where jobs of the kind have completed, and which: several where they differ in what they read.
    """

    def __init__(self, stack: LocalStack, project: str, jobs: list[str]) -> None:
        self._stack = stack
        self._sagemaker = stack.aws.client("sagemaker")
        self._project = project
        self._requests = [self._requests_of(job) for job in jobs]

    def all(self) -> list[Use]:
        [(alone, merging), *others] = self._requests
        return [
            lambda: self._logs(alone),
            lambda: self._delivers(alone),
            lambda: self._delivers(merging),
            *(lambda other=other: self._delivers(other) for other, _ in others),
        ]

    def _requests_of(self, job: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What asked for a job's own processing job, here on one instance, and for the one that puts parts together."""
        listed = self._sagemaker.list_processing_jobs(NameContains=job)["ProcessingJobSummaries"]
        named = {one["ProcessingJobName"]: self._request(one["ProcessingJobName"]) for one in listed}
        merging = next(name for name in named if name.endswith("-merge"))
        [alone] = [request for name, request in named.items() if name != merging]
        alone["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 1
        return alone, named[merging]

    def _request(self, name: str) -> dict[str, Any]:
        described = self._sagemaker.describe_processing_job(ProcessingJobName=name)
        return {key: described[key] for key in _REQUESTED if key in described}

    def _logs(self, request: dict[str, Any]) -> bool:
        """A job whose options are nonsense ends as soon as it has said so."""
        environment = {**request["Environment"], "JOB_OPTIONS": "nonsense"}
        job = self._run({**request, "Environment": environment})
        return any(log_lines(self._stack.aws, job["ProcessingJobName"]).values())

    def _delivers(self, request: dict[str, Any]) -> bool:
        job = self._run(request)
        if job["ProcessingJobStatus"] != "Completed":
            return False
        bucket, _, prefix = _output(job)["S3Uri"].removeprefix("s3://").partition("/")
        report = self._stack.aws.client("s3").get_object(Bucket=bucket, Key=f"{prefix}report.json")
        return json.load(report["Body"])["totals"]["failed"] == 0

    def _run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run a job to its end, with results of its own."""
        request = json.loads(json.dumps(request))
        name = new_id()
        bucket = self._stack.outputs["documents_bucket"]
        _output(request)["S3Uri"] = f"s3://{bucket}/{results_prefix(self._project, name)}"
        self._sagemaker.create_processing_job(ProcessingJobName=name, **request)
        return wait_for_job(self._stack.aws, name)


def _output(job: dict[str, Any]) -> dict[str, Any]:
    return job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
