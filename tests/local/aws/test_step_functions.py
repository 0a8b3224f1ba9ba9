"""Parts of the embedded Step Functions that need no execution."""

from __future__ import annotations

import pytest

from local.aws.step_functions.differences import _fail_with, retry_delay
from local.aws.step_functions.tasks import CREATE_PROCESSING_JOB, sagemaker_error, task_checks

TABLE_ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/items"
JOB_ARN = "arn:aws:sagemaker:us-east-1:000000000000:processing-job/translate-1"


def test_delays_before_retries() -> None:
    retrier = {"IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 10}
    assert [retry_delay(retrier, count) for count in range(4)] == [2, 6, 10, 10]
    assert [retry_delay({}, count) for count in range(3)] == [1, 2, 4], "the language's defaults"
    assert retry_delay({"IntervalSeconds": 500}, 0) == 60, "nobody waits longer on their own machine"


def test_jitter_spreads_delays() -> None:
    delays = {retry_delay({"IntervalSeconds": 10, "JitterStrategy": "FULL"}, 0) for _ in range(50)}
    assert len(delays) > 10
    assert all(0 <= delay <= 10 for delay in delays)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("ResourceLimitExceeded", "SageMaker.ResourceLimitExceededException"),
        ("ResourceInUse", "SageMaker.ResourceInUseException"),
        ("ThrottlingException", "SageMaker.AmazonSageMakerException"),
        ("ValidationException", "SageMaker.AmazonSageMakerException"),
        ("AccessDeniedException", "SageMaker.AmazonSageMakerException"),
    ],
)
def test_names_of_sagemakers_errors(code: str, name: str) -> None:
    assert sagemaker_error(code) == name


TRANSACTION = {
    "TransactItems": [
        {"Update": {"TableName": "items"}},
        {"Delete": {"TableName": "items"}},
        {"ConditionCheck": {"TableName": "items"}},
    ]
}


@pytest.mark.parametrize(
    ("resource", "parameters", "checks"),
    [
        (
            "arn:aws:states:::dynamodb:updateItem",
            {"TableName": "items"},
            [("dynamodb:UpdateItem", TABLE_ARN)],
        ),
        (
            "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems",
            TRANSACTION,
            [(f"dynamodb:{action}", TABLE_ARN) for action in ("UpdateItem", "DeleteItem", "ConditionCheckItem")],
        ),
        ("arn:aws:states:::sns:publish", {"TopicArn": "arn:t"}, [("sns:Publish", "arn:t")]),
        (
            "arn:aws:states:::sqs:sendMessage",
            {"QueueUrl": "http://x/000000000000/q"},
            [("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:q")],
        ),
        (
            "arn:aws:states:::lambda:invoke",
            {"FunctionName": "f"},
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:f")],
        ),
        ("arn:aws:lambda:us-east-1:000000000000:function:f", {}, [
            ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:f")
        ]),
        (CREATE_PROCESSING_JOB, {"ProcessingJobName": "translate-1"}, [("sagemaker:CreateProcessingJob", JOB_ARN)]),
        (
            f"{CREATE_PROCESSING_JOB}.sync",
            {"ProcessingJobName": "translate-1"},
            [(f"sagemaker:{verb}ProcessingJob", JOB_ARN) for verb in ("Create", "Describe", "Stop")],
        ),
        ("arn:aws:states:::states:startExecution", {}, []),
    ],
)  # fmt: skip
def test_permissions_that_tasks_need(
    resource: str, parameters: dict[str, object], checks: list[tuple[str, str]]
) -> None:
    assert [(check.action, check.resource) for check in task_checks(resource, parameters)] == checks


@pytest.mark.parametrize(("status", "fails"), [("RUNNING", True), ("ABORTED", False), ("TIMED_OUT", False)])
def test_an_execution_that_has_ended_does_not_fail_any_more(status: str, fails: bool) -> None:
    failed: list[str] = []
    _fail_with(lambda _execution, error, _cause: failed.append(error))({"status": status}, "Late", "")
    assert failed == (["Late"] if fails else [])
