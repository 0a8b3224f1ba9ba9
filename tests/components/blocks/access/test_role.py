"""Role: assumed by one service for one account, with one policy."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.blocks.access.arns import account_of
from components.blocks.access.permissions import Permission
from components.blocks.access.role import Role
from components.blocks.resources import child
from tests.support.pulumi_mocks import ACCOUNT, SUFFIX, Evaluation, arn_of, evaluate

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
QUEUE_ARN = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:work"


def declare(service: Any = "states.amazonaws.com", preview: bool = False) -> Evaluation:
    def build() -> Any:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        role = Role(
            "worker",
            service=service,
            account=account_of(QUEUE_ARN),
            permissions=[Permission(["sqs:SendMessage"], [QUEUE_ARN])],
            opts=child(parent),
        )
        role.add_policy("worker-itself", permissions=[Permission(["iam:GetRole"], [role.arn])], opts=child(parent))
        return [role.name, role.arn]

    return evaluate(build, preview=preview)


@pytest.mark.parametrize("service", ["events.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com"])
def test_a_role_is_assumed_by_one_service_for_this_account(service: str) -> None:
    assert declare(service).document(ROLE, key="assumeRolePolicy") == {
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


def test_policies_belong_to_the_role_and_all_belongs_to_the_parent() -> None:
    evaluation = declare()
    assert evaluation.children("test:index:Parent") == {ROLE: 1, POLICY: 2}
    assert {one.inputs["role"] for one in evaluation.of(POLICY)} == {f"worker{SUFFIX}"}
    assert evaluation.document(POLICY, "worker")["Statement"] == [
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [QUEUE_ARN]}
    ]
    assert evaluation.document(POLICY, "worker-itself")["Statement"][0]["Resource"] == [arn_of(ROLE, "worker")]


def test_attributes_are_the_roles() -> None:
    assert declare().result == [f"worker{SUFFIX}", arn_of(ROLE, "worker")]


def test_preview_declares_the_same_resources_and_asks_nobody() -> None:
    assert [repr(one) for one in declare(preview=True).resources] == [repr(one) for one in declare().resources]
