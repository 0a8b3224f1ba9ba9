"""Table: a DynamoDB table, and the permissions on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.blocks.permissions import policy_document
from components.blocks.table import Table
from tests.unit.pulumi_mocks import Evaluation, arn_of, evaluate

TABLE = "aws:dynamodb/table:Table"
COMPONENT = "cloud-nlp:blocks:Table"


def declare(**arguments: Any) -> Evaluation:
    return evaluate(lambda: Table("companies", "name", **arguments) and None)


def test_one_table_belongs_to_the_component() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {TABLE: 1}
    assert len(evaluation.resources) == 2


def test_simple_table_is_on_demand_recoverable_and_removable() -> None:
    table = declare().one(TABLE, "companies")
    assert table.inputs == {
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "name",
        "attributes": [{"name": "name", "type": "S"}],
        "pointInTimeRecovery": {"enabled": True},
        "deletionProtectionEnabled": False,
    }
    assert not table.protect


def test_sort_key_and_expiry_are_declared_when_given() -> None:
    inputs = declare(range_key="record", ttl_attribute="expires_at").one(TABLE).inputs
    assert inputs["rangeKey"] == "record"
    assert inputs["attributes"] == [{"name": "name", "type": "S"}, {"name": "record", "type": "S"}]
    assert inputs["ttl"] == {"attributeName": "expires_at", "enabled": True}


def test_protection_holds_in_aws_and_in_pulumi() -> None:
    table = declare(protect=True).one(TABLE)
    assert table.inputs["deletionProtectionEnabled"] is True
    assert table.protect


@pytest.mark.parametrize(
    ("permission", "action"),
    [
        ("scanning", "dynamodb:Scan"),
        ("describing", "dynamodb:DescribeTable"),
        ("batch_getting", "dynamodb:BatchGetItem"),
        ("putting", "dynamodb:PutItem"),
    ],
)
def test_permissions_are_one_action_on_this_table(permission: str, action: str) -> None:
    document = evaluate(lambda: policy_document([getattr(Table("companies", "name"), permission)()])).result
    assert json.loads(document)["Statement"] == [
        {"Effect": "Allow", "Action": [action], "Resource": [arn_of(TABLE, "companies")]}
    ]


def test_name_and_arn_are_the_tables() -> None:
    def build() -> list[Any]:
        table = Table("companies", "name")
        return [table.name, table.arn]

    assert evaluate(build).result == ["companies-0a1b2c3", arn_of(TABLE, "companies")]
