"""Least privilege: every policy of the program, statement by statement, and checked by an IAM linter."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.pulumi_mocks import SUFFIX, Declared, Evaluation, arn_of, evaluate_program

POLICY = "aws:iam/rolePolicy:RolePolicy"
FUNCTION = "aws:lambda/function:Function"
TABLE = "aws:dynamodb/table:Table"
QUEUE = "aws:sqs/queue:Queue"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
KEY = "aws:kms/key:Key"
RESULTS = f"arn:aws:s3:::sentiment-results{SUFFIX}"
# Calls that AWS gives no resource to name.
ON_ANY_RESOURCE = {("comprehend:BatchDetectSentiment",), ("xray:PutTelemetryRecords", "xray:PutTraceSegments")}
RESOURCE_POLICIES = {
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
}
Lint = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate_program("prod", {"cloud-nlp:notify_emails": '["you@example.com"]'})


@pytest.fixture(scope="module")
def lint() -> Lint:
    """Parliament's findings on a policy, by their titles."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own: it reads its data through setuptools
        from parliament import analyze_policy_string, enhance_finding

    return lambda policy: sorted(enhance_finding(finding).title for finding in analyze_policy_string(policy).findings)


def allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [resource]}


def platform(function: str) -> list[dict[str, Any]]:
    return [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{arn_of(LOGS, function)}:*"),
        allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
    ]


def test_there_are_no_other_roles_and_policies(evaluation: Evaluation) -> None:
    assert [one.name for one in evaluation.of("aws:iam/role:Role")] == ["sentiment-analyse", "sentiment-dispatch"]
    assert [(one.name, one.inputs["role"]) for one in evaluation.of(POLICY)] == [
        ("sentiment-analyse", f"sentiment-analyse{SUFFIX}"),
        ("sentiment-dispatch", f"sentiment-dispatch{SUFFIX}"),
        ("sentiment-dispatch-itself", f"sentiment-dispatch{SUFFIX}"),
    ]
    assert not [one for one in evaluation.resources if "managedPolicyArns" in one.inputs]
    assert {one.type for one in evaluation.resources if one.type.startswith("aws:iam/")} == {
        "aws:iam/role:Role",
        POLICY,
    }


def test_dispatch_may_read_companies_send_work_and_report_failures(evaluation: Evaluation) -> None:
    companies = arn_of(TABLE, "sentiment-companies")
    assert evaluation.document(POLICY, "sentiment-dispatch") == {
        "Version": "2012-10-17",
        "Statement": [
            *platform("sentiment-dispatch"),
            allow(["sqs:SendMessage"], arn_of(QUEUE, "sentiment-dispatch-failures")),
            allow(["dynamodb:Scan"], companies),
            allow(["dynamodb:DescribeTable"], companies),
            allow(["sqs:SendMessage"], arn_of(QUEUE, "sentiment-work")),
        ],
    }


def test_dispatch_may_invoke_itself_alone(evaluation: Evaluation) -> None:
    assert evaluation.document(POLICY, "sentiment-dispatch-itself") == {
        "Version": "2012-10-17",
        "Statement": [allow(["lambda:InvokeFunction"], arn_of(FUNCTION, "sentiment-dispatch"))],
    }


def test_analyse_may_take_work_and_publish_observations(evaluation: Evaluation) -> None:
    work, observations = arn_of(QUEUE, "sentiment-work"), arn_of(TABLE, "sentiment-observations")
    assert evaluation.document(POLICY, "sentiment-analyse") == {
        "Version": "2012-10-17",
        "Statement": [
            *platform("sentiment-analyse"),
            allow(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], work),
            allow(["sqs:ChangeMessageVisibility"], work),
            allow(["dynamodb:BatchGetItem"], observations),
            allow(["dynamodb:PutItem"], observations),
            allow(["s3:PutObject"], f"{RESULTS}/sentiment/*"),
            {
                **allow(["s3:ListBucket"], RESULTS),
                "Condition": {"StringLike": {"s3:prefix": "sentiment/*"}},
            },
            allow(["comprehend:BatchDetectSentiment"], "*"),
        ],
    }


def test_roles_are_taken_on_by_lambda_alone(evaluation: Evaluation) -> None:
    for role in evaluation.of("aws:iam/role:Role"):
        assert json.loads(role.inputs["assumeRolePolicy"]) == {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }


def test_actions_are_named_and_resources_too_unless_aws_has_none(evaluation: Evaluation) -> None:
    on_any_resource = set()
    for policy in evaluation.of(POLICY):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            assert not [action for action in statement["Action"] if "*" in action or "?" in action]
            assert statement.keys() <= {"Effect", "Action", "Resource", "Condition"}
            if "*" in statement["Resource"]:
                on_any_resource.add(tuple(statement["Action"]))
            else:
                assert all(resource.startswith("arn:aws:") for resource in statement["Resource"])
    assert on_any_resource == ON_ANY_RESOURCE


def test_every_queue_of_work_and_every_bucket_refuses_requests_without_tls(evaluation: Evaluation) -> None:
    guarded = [
        statement["Resource"][0]
        for one in evaluation.resources
        if one.type in RESOURCE_POLICIES
        for statement in json.loads(one.inputs["policy"])["Statement"]
        if statement.get("Sid") == "TlsOnly"
    ]
    assert sorted(guarded) == [
        RESULTS,
        arn_of("aws:sns/topic:Topic", "notifications"),
        arn_of(QUEUE, "sentiment-dispatch-failures"),
        arn_of(QUEUE, "sentiment-work"),
        arn_of(QUEUE, "sentiment-work-dead"),
    ]


def test_role_policies_have_no_findings(evaluation: Evaluation, lint: Lint) -> None:
    policies = evaluation.of(POLICY)
    assert len(policies) == 3
    assert {policy.name: lint(policy.inputs["policy"]) for policy in policies if lint(policy.inputs["policy"])} == {}


def test_resource_policies_have_no_findings(evaluation: Evaluation, lint: Lint) -> None:
    policies = [one for one in evaluation.resources if one.type in RESOURCE_POLICIES]
    assert {one.type for one in policies} == RESOURCE_POLICIES
    assert {one.name: lint(linted_text(one)) for one in policies if lint(linted_text(one))} == {}


def linted_text(policy: Declared) -> str:
    """A resource policy's text; of a key's, what the linter cannot know is told.

    There, `*` is the key that has the policy; and AWS's own statement for administrators is left out, since `kms:*`
    also stands for actions that no key's policy can allow.
    """
    document = json.loads(policy.inputs["policy"])
    if policy.type == "aws:kms/keyPolicy:KeyPolicy":
        others = [statement for statement in document["Statement"] if statement["Sid"] != "AccountAdministers"]
        assert len(others) == len(document["Statement"]) - 1
        document["Statement"] = [statement | {"Resource": arn_of(KEY, policy.name)} for statement in others]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"Action": ["dynamodb:ScanAll"]}, "Unknown action"),
        ({"Resource": ["*"]}, "Unnecessary use of Resource *"),
        ({"Resource": ["arn:aws:sqs:eu-central-1:123456789012:companies"]}, "No resources match for the given action"),
        ({"Resource": ["companies"]}, "Invalid ARN"),
        ({"Condition": {"Bool": {"aws:SecureTransport": "no"}}}, "Mismatched type of operator to null"),
        ({"Effect": "Permit"}, "Malformed"),
    ],
)
def test_linter_finds_what_is_wrong(change: dict[str, Any], finding: str, lint: Lint) -> None:
    """Shows that the absence of findings means something."""
    good = allow(["dynamodb:Scan"], arn_of(TABLE, "companies"))
    assert lint(json.dumps({"Version": "2012-10-17", "Statement": [good]})) == []
    assert finding in lint(json.dumps({"Version": "2012-10-17", "Statement": [good | change]}))
