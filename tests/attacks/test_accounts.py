"""Accounts as they are: quotas of 0, documents that are bad, messages that are odd, stacks side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.aws.dead_letter_queue import DeadLetterQueue
from cli.aws.deployment import Deployment
from cli.aws.doctor.checks import ON_AWS, ON_MACHINE, run_checks
from cli.aws.doctor.surroundings import Surroundings, on_deployment
from cli.aws.stack_settings import read_settings
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from tests.integration.api_story import Backstage, project_with, run


@pytest.fixture(autouse=True)
def _without_faults(backstage: Backstage) -> Iterator[None]:
    yield
    backstage.control.clear_faults()


@pytest.fixture
def deployment(stack: LocalStack) -> Deployment:
    """The product as the command line sees it."""
    outputs = {"region": stack.aws.region, **stack.outputs}
    return Deployment("local", outputs, stack.aws.endpoint, stack.aws.credentials)


def test_a_quota_of_zero_fails_a_job_at_once_and_names_the_quota(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, "We are happy.")
    backstage.control.add_fault(
        "sagemaker",
        operation="CreateProcessingJob",
        status=400,
        code="ResourceLimitExceeded",
        message="The account-level service limit 'ml.m5.large for processing job usage' is 0 Instances, with current "
        "utilization of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an "
        "increase for this quota.",
    )
    backstage.control.reset_requests()

    job = run(ann, project)

    assert job["status"] == "failed"
    assert "'ml.m5.large for processing job usage' is 0, and the job needs 1" in job["cause"]
    assert "Service Quotas" in job["cause"]
    assert backstage.control.requests()["sagemaker"]["CreateProcessingJob"] == 1
    # The operator has to act, so the execution fails, which raises an alarm.
    assert backstage.ended("translate", job["job"])["status"] == "FAILED"


def test_documents_that_cannot_be_processed_call_no_operator(ann: ApiUser, backstage: Backstage) -> None:
    project = ann.create_project("Nothing good")
    ann.upload(project, "blank.txt", b"  ")

    job = run(ann, project)

    assert (job["status"], job["cause"].startswith("No document could be processed.")) == ("failed", True)
    # The alarm counts failed executions.
    assert backstage.ended("translate", job["job"])["status"] == "SUCCEEDED"
    assert backstage.states("translate", job["job"])[-1] == "DocumentsFailed"


def test_every_alarm_tells_its_stack(stack: LocalStack) -> None:
    made = {one.id for one in stack.deployment.resources if one.type == "aws:cloudwatch/metricAlarm:MetricAlarm"}
    pages = stack.aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
    # Other tests deploy further stacks to this embedded AWS.
    names = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"] if alarm["AlarmName"] in made]
    # One or two per thing that can fail, and none per endpoint.
    assert 15 <= len(names) < 30
    assert [name for name in names if not name.startswith("local-")] == []


def test_metrics_tell_their_stack(stack: LocalStack) -> None:
    function = stack.aws.client("lambda").get_function_configuration(FunctionName=stack.outputs["analyse_function"])
    assert function["Environment"]["Variables"]["STACK"] == "local"


def test_a_deeply_nested_dead_letter_is_listed(stack: LocalStack, deployment: Deployment) -> None:
    sqs, queue = stack.aws.client("sqs"), stack.outputs["dead_letter_queue_url"]
    body = "[" * 100_000
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    try:
        assert [letter.body for letter in DeadLetterQueue(deployment).peek(10)] == [body]
    finally:
        for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_the_doctor_works_on_what_the_embedded_aws_has(deployment: Deployment) -> None:
    found = run_checks(Surroundings(read_settings("local"), on_deployment(deployment)))
    by_check = {finding.check: finding for finding in found}
    assert by_check.keys() >= {*ON_MACHINE, *ON_AWS, "credentials"}
    assert by_check["credentials"].status == "ok"
    assert by_check["contact"].status == "ok", "the samples are a text source of its own"
    # What the embedded AWS lacks is said, and is no failure.
    assert all("could not be checked" in one.message for one in found if one.status == "warning" and not one.advice)
