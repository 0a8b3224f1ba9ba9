"""Table: a DynamoDB table, and the permissions on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.blocks.access.permissions import policy_document
from components.blocks.storage.table import Index, Table
from tests.support.pulumi_mocks import Evaluation, arn_of, evaluate

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
        ("getting", "dynamodb:GetItem"),
        ("querying", "dynamodb:Query"),
        ("updating", "dynamodb:UpdateItem"),
        ("deleting", "dynamodb:DeleteItem"),
        ("checking", "dynamodb:ConditionCheckItem"),
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


def test_indexes_have_their_keys_and_all_attributes() -> None:
    inputs = declare(range_key="sk", indexes=[Index("by-user", "user", "sk"), Index("by-day", "day")]).one(TABLE).inputs
    assert [attribute["name"] for attribute in inputs["attributes"]] == ["name", "sk", "user", "day"]
    assert inputs["globalSecondaryIndexes"] == [
        {
            "name": "by-user",
            "keySchemas": [{"attributeName": "user", "keyType": "HASH"}, {"attributeName": "sk", "keyType": "RANGE"}],
            "projectionType": "ALL",
        },
        {
            "name": "by-day",
            "keySchemas": [{"attributeName": "day", "keyType": "HASH"}],
            "projectionType": "ALL",
        },
    ]


def test_querying_an_index_is_a_permission_on_the_index_alone() -> None:
    document = evaluate(lambda: policy_document([Table("companies", "name").querying("by-user")])).result
    assert json.loads(document)["Statement"][0]["Resource"] == [f"{arn_of(TABLE, 'companies')}/index/by-user"]
