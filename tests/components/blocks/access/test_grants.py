"""Grants: permissions by the environment variable that names their resource."""

from __future__ import annotations

import json

import pulumi
import pytest

from components.blocks.access.grants import Grant, by_name, granted_environment, granted_permissions
from components.blocks.access.permissions import Permission
from tests.support.pulumi_mocks import evaluate

ARN = "arn:aws:sqs:eu-central-1:123456789012:work"
SEND, RECEIVE = Permission(["sqs:SendMessage"], [ARN]), Permission(["sqs:ReceiveMessage"], [ARN])


def test_permissions_and_values_are_those_of_all_grants() -> None:
    uses = {"WORK": [Grant((SEND,), ARN), Grant((RECEIVE,), ARN)], "OTHER": Grant((SEND, RECEIVE), "other")}
    assert granted_permissions(uses) == [SEND, RECEIVE, SEND, RECEIVE]
    assert granted_environment(uses) == {"WORK": ARN, "OTHER": "other"}


def test_several_resources_share_a_variable_by_their_names() -> None:
    def join() -> pulumi.Input[str]:
        grant = by_name({"first": Grant((SEND,), pulumi.Output.from_input("one")), "second": Grant((RECEIVE,), "two")})
        assert grant.permissions == (SEND, RECEIVE)
        return grant.value

    assert json.loads(evaluate(join).result) == {"first": "one", "second": "two"}


def test_a_variable_names_one_resource() -> None:
    with pytest.raises(ValueError, match="WORK: expected grants on one resource"):
        granted_environment({"WORK": [Grant((SEND,), ARN), Grant((SEND,), "another")]})
    with pytest.raises(ValueError, match="WORK: expected at least one grant"):
        granted_environment({"WORK": []})
