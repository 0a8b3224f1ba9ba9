"""Table: a DynamoDB table, and the permissions on it."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from components.blocks.access.permissions import policy_document
from components.blocks.storage.table import Index, Table, TableAction
from tests.support.pulumi_mocks import SUFFIX, Evaluation, arn_of, evaluate

TABLE = "aws:dynamodb/table:Table"
COMPONENT = "cloud-nlp:blocks:Table"


def declare(**arguments: Any) -> Evaluation:
    return evaluate(lambda: Table("companies", hash_key="name", **arguments) and None)


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


def grant(*actions: Any, **arguments: Any) -> list[Any]:
    """The statements and the value of a grant on a table with one index."""

    def build() -> list[Any]:
        table = Table("companies", hash_key="name", indexes=[Index("by-user", "user")])
        grant = table.grant(*actions, **arguments)
        return [policy_document(grant.permissions), grant.value]

    document, value = evaluate(build).result
    return [json.loads(document)["Statement"], value]


@pytest.mark.parametrize("action", get_args(TableAction))
def test_a_grant_is_on_this_table_and_names_it(action: str) -> None:
    statement = {"Effect": "Allow", "Action": [f"dynamodb:{action}"], "Resource": [arn_of(TABLE, "companies")]}
    assert grant(action) == [[statement], f"companies{SUFFIX}"]


def test_a_grant_on_an_index_is_on_the_index_alone() -> None:
    [statement], value = grant("Query", index="by-user")
    assert statement["Resource"] == [f"{arn_of(TABLE, 'companies')}/index/by-user"]
    assert value == f"companies{SUFFIX}"


@pytest.mark.parametrize(
    ("actions", "index", "message"),
    [
        ([], None, "Table companies: name at least one action to grant"),
        (["Scan", "DeleteTable"], None, "Table companies does not grant DeleteTable; it grants BatchGetItem, "),
        (["Query"], "by-day", "Table companies has no index 'by-day'; it has by-user"),
        (["Query", "GetItem"], "by-user", "Table companies: GetItem cannot be granted on an index"),
    ],
)
def test_mistaken_grants_are_refused(actions: list[str], index: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grant(*actions, index=index)


def test_name_and_arn_are_the_tables() -> None:
    def build() -> list[Any]:
        table = Table("companies", hash_key="name")
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
