"""The policy of whoever deploys: it covers all types of resources, has no mistakes, and fits IAM."""

from __future__ import annotations

import json
from fnmatch import fnmatch

import pytest

from cli.aws.deployer.policy import POLICY_CHARACTERS, policy_documents, statements
from cli.aws.deployer.rights import RIGHTS
from tests.support.iam_linter import Lint, load_linter
from tests.support.program_settings import EVERYTHING
from tests.support.pulumi_mocks import ACCOUNT, REGION, Declared, arn_of, evaluate_program

# Whoever may write a bucket's policy can give themselves its objects; a deployment cannot do without.
INHERENT = {"Possible resource policy privilege escalation"}
# What carries its physical name in its ARN, and the action that makes it.
NAMED = {
    "aws:cloudwatch/eventRule:EventRule": "events:PutRule",
    "aws:cloudwatch/logGroup:LogGroup": "logs:CreateLogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:PutMetricAlarm",
    "aws:dynamodb/table:Table": "dynamodb:CreateTable",
    "aws:iam/role:Role": "iam:CreateRole",
    "aws:lambda/function:Function": "lambda:CreateFunction",
    "aws:s3/bucket:Bucket": "s3:CreateBucket",
    "aws:sfn/stateMachine:StateMachine": "states:CreateStateMachine",
    "aws:sns/topic:Topic": "sns:CreateTopic",
    "aws:sqs/queue:Queue": "sqs:CreateQueue",
}


@pytest.fixture(scope="module", params=["dev", "prod"])
def stack(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def declared(stack: str) -> list[Declared]:
    """Resources of a stack, with all that settings can add."""
    return [one for one in evaluate_program(stack, EVERYTHING).resources if one.custom]


def test_every_type_of_resource_is_in_the_table(declared: list[Declared]) -> None:
    assert {one.type for one in declared} - RIGHTS.keys() == set()


@pytest.mark.parametrize("read_only", [False, True])
def test_policies_have_no_mistakes_and_fit_iam(stack: str, read_only: bool) -> None:
    lint: Lint = load_linter()
    documents = policy_documents(stack=stack, region=REGION, account=ACCOUNT, read_only=read_only)
    assert 1 <= len(documents) <= 10, "as many managed policies as a role can have"
    for document in documents:
        text = json.dumps(document, separators=(",", ":"))
        assert len(text) <= POLICY_CHARACTERS
        assert set(lint(text)) - INHERENT == set()


def test_names_of_resources_are_those_that_the_policy_allows(stack: str, declared: list[Declared]) -> None:
    made = statements(stack=stack, region=REGION, account=ACCOUNT)
    checked = [one for one in declared if one.type in NAMED]
    assert {one.type for one in checked} == NAMED.keys()
    for one in checked:
        allowed = [pattern for each in made if NAMED[one.type] in each["Action"] for pattern in each["Resource"]]
        arn = arn_of(one.type, one.name).removesuffix(":*")
        assert any(fnmatch(arn, pattern) for pattern in allowed), (arn, allowed)


def test_layers_are_allowed_by_the_names_that_aws_knows_them_by(stack: str, declared: list[Declared]) -> None:
    made = statements(stack=stack, region=REGION, account=ACCOUNT)
    allowed = [pattern for one in made if "lambda:PublishLayerVersion" in one["Action"] for pattern in one["Resource"]]
    names = [one.inputs["layerName"] for one in declared if one.type == "aws:lambda/layerVersion:LayerVersion"]
    assert names
    for name in names:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}"
        assert any(fnmatch(arn, pattern) for pattern in allowed), (arn, allowed)


def test_nothing_is_allowed_on_everything_that_has_a_name() -> None:
    made = statements(stack="dev", region=REGION, account=ACCOUNT)
    everywhere = {action for one in made if one["Resource"] == ["*"] for action in one["Action"]}
    assert everywhere & set(NAMED.values()) == set()
    assert not any("*" in action for one in made for action in one["Action"])
    [passing] = [one["Condition"] for one in made if "iam:PassRole" in one["Action"]][:1]
    assert list(passing["StringEquals"]) == ["iam:PassedToService"]


@pytest.mark.parametrize(
    "action",
    [
        "logs:CreateLogDelivery",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
        "states:ValidateStateMachineDefinition",
        "cognito-idp:AssociateWebACL",
        "iam:CreateServiceLinkedRole",
        "iam:PassRole",
    ],
)
def test_rights_that_are_easily_forgotten_are_there(action: str) -> None:
    made = statements(stack="dev", region=REGION, account=ACCOUNT)
    assert [one for one in made if action in one["Action"]]


def test_previews_only_read() -> None:
    made = statements(stack="dev", region=REGION, account=ACCOUNT, read_only=True)
    verbs = {action.partition(":")[2] for one in made for action in one["Action"]}
    assert [verb for verb in verbs if not verb.startswith(("Describe", "Get", "List", "View", "GET"))] == []
    assert "dynamodb:DescribeTable" in {action for one in made for action in one["Action"]}
