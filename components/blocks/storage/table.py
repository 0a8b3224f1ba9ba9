"""Table: a DynamoDB table on demand, with point-in-time recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pulumi
import pulumi_aws as aws

from components.blocks.access.grants import Grant, check_actions
from components.blocks.access.permissions import Permission
from components.blocks.resources import child

TableAction = Literal[
    "BatchGetItem",
    "ConditionCheckItem",
    "DeleteItem",
    "DescribeTable",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
]
_ON_INDEXES = ("Query", "Scan")


@dataclass(frozen=True)
class Index:
    """A global secondary index, which holds all attributes of the items that have its keys.

    Attributes
    ----------
    name
        Name that queries use.
    hash_key, range_key
        Names of the partition key and the sort key, both strings.
    """

    name: str
    hash_key: str
    range_key: str | None = None


class Table(pulumi.ComponentResource):
    """A DynamoDB table with on-demand capacity, encrypted, recoverable to any second of the last 35 days.

    Parameters
    ----------
    name
        Logical name; the table's physical name starts with it.
    hash_key
        Name of the partition key, a string.
    range_key
        Name of the sort key, a string.
    ttl_attribute
        Name of the attribute that holds the time, in seconds since 1970, after which DynamoDB may delete an item.
    protect
        Protect the table from deletion.
    indexes
        Global secondary indexes.

    Attributes
    ----------
    name, arn
        Name and ARN of the table.
    """

    def __init__(
        self,
        name: str,
        *,
        hash_key: str,
        range_key: str | None = None,
        ttl_attribute: str | None = None,
        protect: bool = False,
        indexes: Sequence[Index] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:Table", name, {}, opts)
        keys = [hash_key, range_key, *(key for index in indexes for key in (index.hash_key, index.range_key))]
        table = aws.dynamodb.Table(
            name,
            billing_mode="PAY_PER_REQUEST",
            hash_key=hash_key,
            range_key=range_key,
            attributes=[aws.dynamodb.TableAttributeArgs(name=key, type="S") for key in dict.fromkeys(keys) if key],
            global_secondary_indexes=[_global_index(index) for index in indexes] or None,
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=ttl_attribute, enabled=True) if ttl_attribute else None,
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=protect,
            opts=child(self, protect=protect),
        )
        self.name = table.name
        self.arn = table.arn
        self._indexes = [index.name for index in indexes]
        self.register_outputs({"name": self.name, "arn": self.arn})

    def grant(self, *actions: TableAction, index: str | None = None) -> Grant:
        """Allow actions on the table, or on one of its indexes; the grant's value is the table's name.

        Parameters
        ----------
        actions
            Names of DynamoDB's actions. Those on items hold for transactions, too.
        index
            Name of an index, which the actions are then limited to.

        Raises
        ------
        ValueError
            No or unknown actions, an unknown index, or an action that indexes do not have.
        """
        title = f"Table {self.pulumi_resource_name}"
        check_actions(title, actions, get_args(TableAction))
        names = [f"dynamodb:{action}" for action in actions]
        if index is None:
            return Grant((Permission(names, [self.arn]),), self.name)
        if index not in self._indexes:
            raise ValueError(f"{title} has no index {index!r}; it has {', '.join(self._indexes) or 'none'}")
        if wrong := [action for action in actions if action not in _ON_INDEXES]:
            raise ValueError(f"{title}: {', '.join(wrong)} cannot be granted on an index")
        return Grant((Permission(names, [pulumi.Output.concat(self.arn, "/index/", index)]),), self.name)


def _global_index(index: Index) -> aws.dynamodb.TableGlobalSecondaryIndexArgs:
    keys = [(index.hash_key, "HASH"), (index.range_key, "RANGE")]
    return aws.dynamodb.TableGlobalSecondaryIndexArgs(
        name=index.name,
        key_schemas=[
            aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=key, key_type=kind)
            for key, kind in keys
            if key
        ],
        projection_type="ALL",
    )
