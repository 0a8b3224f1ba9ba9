"""Permissions and the policies that are made of them."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components.blocks.access.arns import account_of
from components.blocks.access.permissions import Permission, policy_document
from tests.support.pulumi_mocks import evaluate

ARN = "arn:aws:sqs:eu-central-1:123456789012:work"


@pytest.mark.parametrize("action", ["sqs:*", "*", "dynamodb:Batch*"])
def test_wildcard_actions_are_refused(action: str) -> None:
    with pytest.raises(ValueError, match="name each action") as error:
        Permission(["sqs:SendMessage", action], [ARN])
    assert str(error.value).startswith(f"Permission on {action}:")


def test_any_resource_is_refused_without_a_reason() -> None:
    with pytest.raises(ValueError, match=r"Permission for xray:PutTraceSegments on '\*': say why"):
        Permission(["xray:PutTraceSegments"], ["*"])
    with pytest.raises(ValueError, match="say why"):
        Permission(["sqs:SendMessage"], [ARN, "*"])


def test_any_resource_is_taken_with_a_reason() -> None:
    assert Permission(["xray:PutTraceSegments"], ["*"], why_any_resource="no resource to name").resources == ["*"]


def test_policy_has_a_statement_for_each_permission() -> None:
    def build() -> Any:
        later = pulumi.Output.from_input(ARN)
        condition = {"StringLike": {"s3:prefix": pulumi.Output.concat("sentiment/", "*")}}
        return policy_document(
            [
                Permission(["sqs:SendMessage", "sqs:DeleteMessage"], [later]),
                Permission(["s3:ListBucket"], ["arn:aws:s3:::results"], condition),
            ]
        )

    assert json.loads(evaluate(build).result) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["sqs:DeleteMessage", "sqs:SendMessage"], "Resource": [ARN]},
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": ["arn:aws:s3:::results"],
                "Condition": {"StringLike": {"s3:prefix": "sentiment/*"}},
            },
        ],
    }


def test_a_failing_output_fails_the_evaluation() -> None:
    """Holds up all tests that use `evaluate`: nothing in it goes unawaited."""
    with pytest.raises(IndexError):
        evaluate(lambda: account_of(pulumi.Output.from_input("no ARN")))

    def forgotten() -> None:
        account_of(pulumi.Output.from_input("no ARN"))

    with pytest.raises(IndexError):
        evaluate(forgotten)
