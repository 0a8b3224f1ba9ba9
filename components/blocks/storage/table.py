"""Table: a DynamoDB table on demand, with point-in-time recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, child_of


@dataclass(frozen=True)
class Index:
    """A global secondary index, which holds all attributes of the items that have its keys.

    Attributes
    ----------
    name
        By which queries call it.
    hash_key, range_key
        Names of its keys, strings.
    """

    name: str
    hash_key: str
    range_key: str | None = None


class Table(pulumi.ComponentResource):
    """A DynamoDB table that is paid by request, encrypted, and recoverable to any second of the last 35 days.

    Parameters
    ----------
    name
        The table's name starts with it.
    hash_key
        Name of the partition key, a string.
    range_key
        Name of the sort key, a string.
    ttl_attribute
        Name of the attribute with the time, in seconds since 1970, after which DynamoDB may delete an item.
    protect
        Refuse to delete the table.
    indexes
        Further ways to query it.

    Attributes
    ----------
    name, arn
        Of the table.
    """

    def __init__(
        self,
        name: str,
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
            opts=child_of(self, protect=protect),
        )
        self.name = table.name
        self.arn = table.arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def scanning(self) -> Permission:
        """Read all items."""
        return self._on_table("Scan")

    def describing(self) -> Permission:
        """Read the table's properties, such as how many items it holds."""
        return self._on_table("DescribeTable")

    def batch_getting(self) -> Permission:
        """Read items by their keys, several at once."""
        return self._on_table("BatchGetItem")

    def putting(self) -> Permission:
        """Write whole items, alone or in a transaction."""
        return self._on_table("PutItem")

    def getting(self) -> Permission:
        """Read an item by its key, alone or in a transaction."""
        return self._on_table("GetItem")

    def querying(self, index: str | None = None) -> Permission:
        """Read items of one partition: of the table, or of one of its indexes."""
        if index is None:
            return self._on_table("Query")
        return Permission(["dynamodb:Query"], [pulumi.Output.concat(self.arn, "/index/", index)])

    def updating(self) -> Permission:
        """Change or make items, alone or in a transaction."""
        return self._on_table("UpdateItem")

    def deleting(self) -> Permission:
        """Delete items, alone or in a transaction."""
        return self._on_table("DeleteItem")

    def checking(self) -> Permission:
        """Make a transaction depend on items that it leaves as they are."""
        return self._on_table("ConditionCheckItem")

    def _on_table(self, *actions: str) -> Permission:
        return Permission([f"dynamodb:{action}" for action in actions], [self.arn])


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
