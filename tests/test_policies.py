"""Least privilege: every policy of the program, statement by statement, and checked by an IAM linter."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handlers.api.support.registry import OPERATIONS
from schema import jobs
from tests.support.iam_linter import Lint
from tests.support.machine_calls import DELIVERING_LOGS, TRACING, granted, needed
from tests.support.program_settings import EVERYTHING
from tests.support.pulumi_mocks import ACCOUNT, SUFFIX, Declared, Evaluation, arn_of, evaluate_program

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
FUNCTION = "aws:lambda/function:Function"
MACHINE = "aws:sfn/stateMachine:StateMachine"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TABLE = "aws:dynamodb/table:Table"
QUEUE = "aws:sqs/queue:Queue"
TOPIC = "aws:sns/topic:Topic"
BUCKET = "aws:s3/bucket:Bucket"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
KEY = "aws:kms/key:Key"
RESULTS = f"arn:aws:s3:::sentiment-results{SUFFIX}"
KINDS = ("analyse", "translate")
# Actions that AWS gives no resource to name, and why.
ON_ANY_RESOURCE = {
    "cloudwatch:PutMetricData": "metrics are no resources; a condition names their namespace",
    "comprehend:BatchDetectDominantLanguage": "synchronous calls have no resource",
    "comprehend:BatchDetectKeyPhrases": "synchronous calls have no resource",
    "comprehend:BatchDetectSentiment": "synchronous calls have no resource",
    "translate:TranslateText": "synchronous calls have no resource of ours",
    "ecr:GetAuthorizationToken": "the token is for a registry, not for a repository",
    **{f"logs:{action}": "deliveries of logs have no resource" for action in DELIVERING_LOGS},
    **{f"xray:{action}": "traces and sampling rules have no resource" for action in TRACING},
}
RESOURCE_POLICIES = {
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate_program("prod", EVERYTHING)


def allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [resource]}


def platform(function: str) -> list[dict[str, Any]]:
    return [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{arn_of(LOGS, function)}:*"),
        allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
    ]


def roles_by_user(evaluation: Evaluation) -> dict[str, list[str]]:
    """The ARN of the role of each function, state machine, target and job, by the service that takes it on."""
    definitions = [json.loads(one.inputs["definition"]) for one in evaluation.of(MACHINE)]
    jobs = [{state["Arguments"]["RoleArn"] for state in calls(definition, "RoleArn")} for definition in definitions]
    targets = {one.inputs["arn"]: one.inputs["roleArn"] for one in evaluation.of(TARGET) if "roleArn" in one.inputs}
    return {
        "lambda.amazonaws.com": [one.inputs["role"] for one in evaluation.of(FUNCTION)],
        "states.amazonaws.com": [one.inputs["roleArn"] for one in evaluation.of(MACHINE)],
        "sagemaker.amazonaws.com": [role for roles in jobs for role in roles],
        "events.amazonaws.com": list(targets.values()),
    }


def calls(definition: dict[str, Any], argument: str) -> list[dict[str, Any]]:
    """The states of a definition that hand an argument to a call."""
    return [state for state in definition["States"].values() if argument in state.get("Arguments", {})]


def test_every_role_has_one_user_and_is_assumed_by_its_service_for_this_account_alone(evaluation: Evaluation) -> None:
    taken_on = {arn_of(ROLE, one.name): json.loads(one.inputs["assumeRolePolicy"]) for one in evaluation.of(ROLE)}
    used = [(role, service) for service, roles in roles_by_user(evaluation).items() for role in roles]
    assert len({role for role, _ in used}) == len(used) == len(OPERATIONS) + 10
    assert taken_on == {
        role: {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                }
            ],
        }
        for role, service in used
    }


def test_every_policy_is_a_roles_own(evaluation: Evaluation) -> None:
    roles = {f"{one.name}{SUFFIX}": one for one in evaluation.of(ROLE)}
    assert {one.inputs["role"] for one in evaluation.of(POLICY)} == roles.keys()
    # Each has the name of its role; a function that invokes itself has one more, which can only follow it.
    named = {one.name for one in evaluation.of(POLICY)}
    assert named == {*(one.name for one in roles.values()), "sentiment-dispatch-itself"}
    assert not [one for one in evaluation.resources if {"managedPolicyArns", "inlinePolicies"} & one.inputs.keys()]
    assert {one.type for one in evaluation.resources if one.type.startswith("aws:iam/")} == {ROLE, POLICY}


def test_dispatch_may_read_companies_send_work_and_report_failures(evaluation: Evaluation) -> None:
    companies = arn_of(TABLE, "sentiment-companies")
    assert evaluation.document(POLICY, "sentiment-dispatch") == {
        "Version": "2012-10-17",
        "Statement": [
            *platform("sentiment-dispatch"),
            allow(["sqs:SendMessage"], arn_of(QUEUE, "sentiment-dispatch-failures")),
            allow(["dynamodb:DescribeTable", "dynamodb:Scan"], companies),
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
            allow(
                ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
                work,
            ),
            allow(["dynamodb:BatchGetItem", "dynamodb:PutItem"], observations),
            allow(["s3:PutObject"], f"{RESULTS}/sentiment/*"),
            {
                **allow(["s3:ListBucket"], RESULTS),
                "Condition": {"StringLike": {"s3:prefix": "sentiment/*"}},
            },
            allow(["comprehend:BatchDetectSentiment"], "*"),
        ],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_machine_may_do_exactly_what_it_calls(kind: str, evaluation: Evaluation) -> None:
    allowed = granted(evaluation, f"product-{kind}")
    assert sorted(allowed) == sorted(needed(evaluation, f"product-{kind}"))
    # It may start jobs with the role of its own kind's jobs, and with no other.
    passed = [resource for action, resource, _ in allowed if action == "iam:PassRole"]
    assert passed == [arn_of(ROLE, f"product-{kind}-job")]


@pytest.mark.parametrize("kind", KINDS)
def test_jobs_of_a_kind_may_call_what_it_declares(kind: str, evaluation: Evaluation) -> None:
    statements = evaluation.document(POLICY, f"product-{kind}-job")["Statement"]
    assert statements[-1] == allow(sorted(jobs.KINDS[kind].actions), "*")
    reads_models = "models/" in json.dumps(statements)
    assert reads_models == (jobs.MODEL in jobs.KINDS[kind].channels)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_may_start_its_state_machine_alone(kind: str, evaluation: Evaluation) -> None:
    assert evaluation.document(POLICY, f"product-{kind}-schedule")["Statement"] == [
        allow(["states:StartExecution"], arn_of(MACHINE, f"product-{kind}"))
    ]


def test_actions_are_named_and_resources_too_unless_aws_has_none(evaluation: Evaluation) -> None:
    on_any_resource = set()
    for policy in evaluation.of(POLICY):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not [action for action in statement["Action"] if "*" in action or "?" in action]
            assert statement.keys() <= {"Effect", "Action", "Resource", "Condition"}
            if "*" in statement["Resource"]:
                on_any_resource |= set(statement["Action"])
            else:
                # A name at least, before any pattern of what it holds.
                assert all(re.match(r"arn:aws:[^*]+[:/][^*]+", resource) for resource in statement["Resource"])
    assert on_any_resource == ON_ANY_RESOURCE.keys()


def test_metrics_of_jobs_go_to_sagemakers_namespace_alone(evaluation: Evaluation) -> None:
    found = [
        statement.get("Condition")
        for policy in evaluation.of(POLICY)
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        if "cloudwatch:PutMetricData" in statement["Action"]
    ]
    assert found == [{"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/ProcessingJobs"}}] * len(KINDS)


def test_every_queue_topic_and_bucket_refuses_requests_without_tls(evaluation: Evaluation) -> None:
    guarded = []
    for one in evaluation.resources:
        for statement in json.loads(one.inputs["policy"])["Statement"] if one.type in RESOURCE_POLICIES else []:
            if statement.get("Sid") == "TlsOnly":
                assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                guarded += [(statement["Action"], resource) for resource in statement["Resource"]]
    buckets = [arn_of(BUCKET, one.name) for one in evaluation.of(BUCKET)]
    queues = [arn_of(QUEUE, one.name) for one in evaluation.of(QUEUE)]
    topics = [arn_of(TOPIC, one.name) for one in evaluation.of(TOPIC)]
    assert (len(buckets), len(queues), len(topics)) == (2, 4, 1)
    assert sorted(guarded) == sorted(
        [
            *(("s3:*", f"{bucket}{objects}") for bucket in buckets for objects in ("", "/*")),
            *(("sqs:*", queue) for queue in queues),
            *(("sns:Publish", topic) for topic in topics),
        ]
    )


def test_role_policies_have_no_findings(evaluation: Evaluation, lint: Lint) -> None:
    policies = evaluation.of(POLICY)
    assert len(policies) == len(OPERATIONS) + 11
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
