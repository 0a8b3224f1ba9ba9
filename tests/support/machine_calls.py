"""What a state machine's definition and settings call, and what its role is granted: both as sets that can be equal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.batch_jobs import MACHINE, PROCESS, PUBLISH, STOP, TRANSACT, UPDATE
from tests.support.pulumi_mocks import ACCOUNT, REGION, Evaluation, arn_of

POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE = "aws:iam/role:Role"
TOPIC = "aws:sns/topic:Topic"
HERE = f"{REGION}:{ACCOUNT}"
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
DELIVERING_LOGS = (
    "CreateLogDelivery",
    "DeleteLogDelivery",
    "DescribeLogGroups",
    "DescribeResourcePolicies",
    "GetLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "UpdateLogDelivery",
)
# https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html
TRACING = ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")
ACTIONS_OF_TRANSACTIONS = {
    "Update": "UpdateItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}

# Action, resource, and the condition as JSON.
Grant = tuple[str, str, str]


def granted(evaluation: Evaluation, machine: str) -> list[Grant]:
    """All that the policies of a machine's role allow."""
    role = evaluation.one(MACHINE, machine).inputs["roleArn"]
    name = next(one.name for one in evaluation.of(ROLE) if arn_of(ROLE, one.name) == role)
    policies = [one for one in evaluation.of(POLICY) if one.inputs["role"] == role.rpartition("/")[2]]
    assert policies, f"role {name} has no policy"
    return [
        (action, resource, json.dumps(statement.get("Condition", {}), sort_keys=True))
        for policy in policies
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


def needed(evaluation: Evaluation, machine: str) -> set[Grant]:
    """All that a machine's calls, its log and its traces need."""
    inputs = evaluation.one(MACHINE, machine).inputs
    needs = {UPDATE: _update, TRANSACT: _transaction, PROCESS: _job, STOP: _stop, PUBLISH: _message}
    found: set[Grant] = set()
    for state in json.loads(inputs["definition"])["States"].values():
        if state["Type"] == "Task":
            found.update(needs[state["Resource"]](state["Arguments"], evaluation))
    if inputs["loggingConfiguration"]["level"] != "OFF":
        found.update((f"logs:{action}", "*", "{}") for action in DELIVERING_LOGS)
    if inputs["tracingConfiguration"]["enabled"]:
        found.update((f"xray:{action}", "*", "{}") for action in TRACING)
    return found


def _update(arguments: dict[str, Any], _: Evaluation) -> Iterator[Grant]:
    yield "dynamodb:UpdateItem", _table(arguments), "{}"


def _transaction(arguments: dict[str, Any], _: Evaluation) -> Iterator[Grant]:
    for item in arguments["TransactItems"]:
        [(kind, action)] = item.items()
        yield f"dynamodb:{ACTIONS_OF_TRANSACTIONS[kind]}", _table(action), "{}"


def _table(arguments: dict[str, Any]) -> str:
    return f"arn:aws:dynamodb:{HERE}:table/{arguments['TableName']}"


def _job(arguments: dict[str, Any], _: Evaluation) -> Iterator[Grant]:
    # Names begin with the kind, whatever the attempt.
    [kind] = set(re.findall(r"'([a-z-]+)-' & \$job\.job", arguments["ProcessingJobName"]))
    for action in ("CreateProcessingJob", "DescribeProcessingJob", "StopProcessingJob", "AddTags", "ListTags"):
        yield f"sagemaker:{action}", f"arn:aws:sagemaker:{HERE}:processing-job/{kind}-*", "{}"
    to_sagemaker = json.dumps({"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}})
    yield "iam:PassRole", arguments["RoleArn"], to_sagemaker
    for action in ("PutTargets", "PutRule", "DescribeRule"):
        rule = f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule"
        yield f"events:{action}", rule, "{}"


def _stop(_: dict[str, Any], __: Evaluation) -> Iterator[Grant]:
    """Nothing more than creating a job and waiting for it needs."""
    yield from ()


def _message(arguments: dict[str, Any], evaluation: Evaluation) -> Iterator[Grant]:
    topic = next(one for one in evaluation.of(TOPIC) if arn_of(TOPIC, one.name) == arguments["TopicArn"])
    yield "sns:Publish", arguments["TopicArn"], "{}"
    for action in ("Decrypt", "GenerateDataKey"):
        yield f"kms:{action}", f"arn:aws:kms:{HERE}:key/{topic.inputs['kmsMasterKeyId']}", "{}"
