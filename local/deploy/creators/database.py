"""Creators of DynamoDB tables."""

from __future__ import annotations

from typing import Any

from local.deploy.creators.common import Context, Created, Creator, Inputs


def _table(context: Context, inputs: Inputs) -> Created:
    dynamodb = context.client("dynamodb")
    keys = [(inputs["hashKey"], "HASH")] + ([(inputs["rangeKey"], "RANGE")] if inputs.get("rangeKey") else [])
    indexes = [_index(index) for index in inputs.get("globalSecondaryIndexes") or []]
    description = dynamodb.create_table(
        TableName=context.unique,
        BillingMode=inputs["billingMode"],
        KeySchema=_key_schema(keys),
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in inputs["attributes"]
        ],
        DeletionProtectionEnabled=inputs["deletionProtectionEnabled"],
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )["TableDescription"]
    dynamodb.get_waiter("table_exists").wait(TableName=context.unique, WaiterConfig={"Delay": 0.2, "MaxAttempts": 150})
    if inputs.get("ttl"):
        dynamodb.update_time_to_live(
            TableName=context.unique,
            TimeToLiveSpecification={
                "Enabled": inputs["ttl"]["enabled"],
                "AttributeName": inputs["ttl"]["attributeName"],
            },
        )
    dynamodb.update_continuous_backups(
        TableName=context.unique,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": inputs["pointInTimeRecovery"]["enabled"]},
    )
    return context.unique, {"name": context.unique, "arn": description["TableArn"]}


def _key_schema(keys: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys]


def _index(index: Inputs) -> dict[str, Any]:
    if index.get("keySchemas"):
        keys = [(key["attributeName"], key["keyType"]) for key in index["keySchemas"]]
    else:
        keys = [(index["hashKey"], "HASH")] + ([(index["rangeKey"], "RANGE")] if index.get("rangeKey") else [])
    projection: dict[str, Any] = {"ProjectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = list(index["nonKeyAttributes"])
    return {"IndexName": index["name"], "KeySchema": _key_schema(keys), "Projection": projection}


CREATORS: dict[str, Creator] = {"aws:dynamodb/table:Table": _table}
