"""Typed access to the items of the documents table, whatever they mean."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from handlers.common.batch_get import batch_get
from schema.aws_errors import THROTTLED, TRANSIENT
from schema.dynamodb import TypedItem, decode, encode, encode_value
from schema.projects import PARTITION_KEY, SORT_KEY, Key
from schema.retry import Backoff, attempts

READS = Backoff(attempts=6, first_seconds=0.1, longest_seconds=1)
WRITES = Backoff(attempts=6, first_seconds=0.05, longest_seconds=1)
# Condition: there is no item with this key.
ABSENT = f"attribute_not_exists({PARTITION_KEY})"
# Condition of a query: items of one partition, by their sort keys.
BETWEEN = f"#{PARTITION_KEY} = :partition AND #{SORT_KEY} BETWEEN :low AND :high"
_NAME = re.compile(r"#(\w+)")

Values = Mapping[str, Any]
Item = dict[str, Any]


class RefusedError(Exception):
    """A condition did not hold, and nothing was written.

    Attributes
    ----------
    refused
        By position of the actions whose condition did not hold: the stored item, empty where there is none.
    """

    def __init__(self, refused: dict[int, Item]) -> None:
        super().__init__(f"refused: {sorted(refused)}")
        self.refused = refused


class Table:
    """A table with a partition key and a sort key.

    In conditions, `#name` stands for the attribute `name` and `:name` for the given value of that name.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    name
        The table's name.
    sleep
        Waits a number of seconds between attempts.
    """

    def __init__(self, dynamodb: Any, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._dynamodb = dynamodb
        self._name = name
        self._sleep = sleep

    def get(self, key: Key) -> Item | None:
        """Read an item as it is now."""
        answer = self._dynamodb.get_item(TableName=self._name, Key=_key(key), ConsistentRead=True)
        return decode(answer["Item"]) if "Item" in answer else None

    def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        """Read items as they are now, in as few calls as possible; None for keys without an item."""
        wanted = [_key(key) for key in dict.fromkeys(keys)]
        items = map(decode, batch_get(self._dynamodb, self._name, wanted, READS, consistent=True, sleep=self._sleep))
        found = {(item[PARTITION_KEY], item[SORT_KEY]): item for item in items}
        return [found.get(key) for key in keys]

    def query(self, condition: str, values: Values, limit: int, index: str | None = None) -> list[Item]:
        """Read the last items that meet a condition on their keys, in descending order.

        Parameters
        ----------
        condition, values
            On the keys of the table or the index.
        limit
            At most so many items.
        index
            The index to read; it follows the table within moments. The table itself is read as it is now.
        """
        source = {"IndexName": index} if index else {"ConsistentRead": True}
        request = {"TableName": self._name, "KeyConditionExpression": condition, "ScanIndexForward": False, **source}
        request |= _placeholders([condition], values)
        found: list[Item] = []
        while True:
            page = self._dynamodb.query(**request, Limit=limit - len(found))
            found += map(decode, page["Items"])
            if len(found) >= limit or "LastEvaluatedKey" not in page:
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, item: Values, condition: str, values: Values | None = None) -> None:
        """Write an item.

        Raises
        ------
        RefusedError
            The condition does not hold; `refused[0]` is the stored item.
        """
        try:
            self._dynamodb.put_item(**self.put_action(item, condition, values)["Put"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise RefusedError({0: decode(error.response.get("Item", {}))}) from None

    def delete(self, key: Key) -> None:
        """Delete an item, if it is there."""
        self._dynamodb.delete_item(TableName=self._name, Key=_key(key))

    def update(self, key: Key, changes: Values, condition: str, values: Values | None = None) -> Item:
        """Change attributes of an item; those whose value is None are removed.

        Returns
        -------
        The item as it is then.

        Raises
        ------
        RefusedError
            The condition does not hold; `refused[0]` is the stored item.
        """
        request = {**self.update_action(key, changes, condition, values)["Update"], "ReturnValues": "ALL_NEW"}
        for attempt in attempts(WRITES, self._sleep):
            try:
                return decode(self._dynamodb.update_item(**request)["Attributes"])
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "ConditionalCheckFailedException":
                    raise RefusedError({0: decode(error.response.get("Item", {}))}) from None
                if code != "TransactionConflictException" or attempt.is_last:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def transact(self, actions: Sequence[dict[str, Any]]) -> None:
        """Carry out all actions, or none.

        Parameters
        ----------
        actions
            Up to 100, made by the methods below.

        Raises
        ------
        RefusedError
            Some conditions do not hold.
        """
        for attempt in attempts(WRITES, self._sleep):
            try:
                self._dynamodb.transact_write_items(TransactItems=list(actions))
            except ClientError as error:
                reasons = error.response.get("CancellationReasons", [])
                refused = {
                    position: decode(reason.get("Item", {}))
                    for position, reason in enumerate(reasons)
                    if reason.get("Code") == "ConditionalCheckFailed"
                }
                if refused:
                    raise RefusedError(refused) from None
                may_pass = any(reason.get("Code") in THROTTLED | TRANSIENT for reason in reasons)
                if not may_pass or attempt.is_last:
                    raise
            else:
                return

    def put_action(self, item: Values, condition: str = "", values: Values | None = None) -> dict[str, Any]:
        """Write an item, where the condition holds."""
        return {"Put": {"TableName": self._name, "Item": encode(item), **_condition(condition, values)}}

    def delete_action(self, key: Key, condition: str = "", values: Values | None = None) -> dict[str, Any]:
        """Delete an item, where the condition holds."""
        return {"Delete": {"TableName": self._name, "Key": _key(key), **_condition(condition, values)}}

    def check_action(self, key: Key, condition: str, values: Values | None = None) -> dict[str, Any]:
        """Let the other actions happen only where the condition holds for this item."""
        return {"ConditionCheck": {"TableName": self._name, "Key": _key(key), **_condition(condition, values)}}

    def update_action(self, key: Key, changes: Values, condition: str, values: Values | None = None) -> dict[str, Any]:
        """Change attributes of an item, where the condition holds; those whose value is None are removed."""
        kept = {name: value for name, value in changes.items() if value is not None}
        removed = [f"#{name}" for name in changes if name not in kept]
        parts = ["SET " + ", ".join(f"#{name} = :set_{name}" for name in kept)] if kept else []
        parts += ["REMOVE " + ", ".join(removed)] if removed else []
        update = {"TableName": self._name, "Key": _key(key), "UpdateExpression": " ".join(parts)}
        new_values = {f"set_{name}": value for name, value in kept.items()}
        named = _placeholders([condition, *parts], {**(values or {}), **new_values})
        return {"Update": {**update, **_condition(condition, values), **named}}

    def add_action(
        self, key: Key, attribute: str, amount: int, condition: str = "", values: Values | None = None
    ) -> dict[str, Any]:
        """Add to a number of an item, where the condition holds; an absent number or item counts as 0."""
        update = {"TableName": self._name, "Key": _key(key), "UpdateExpression": f"ADD #{attribute} :amount"}
        named = _placeholders([condition, f"#{attribute}"], {**(values or {}), "amount": amount})
        return {"Update": {**update, **_condition(condition, values), **named}}


def keyed(key: Key) -> Item:
    """Write a key as attributes of an item."""
    return {PARTITION_KEY: key[0], SORT_KEY: key[1]}


def _key(key: Key) -> TypedItem:
    return encode(keyed(key))


def _condition(condition: str, values: Values | None) -> dict[str, Any]:
    if not condition:
        return {}
    return {
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **_placeholders([condition], values or {}),
    }


def _placeholders(texts: Sequence[str], values: Values) -> dict[str, Any]:
    """Name the attributes and values that expressions use: many attributes are DynamoDB's reserved words."""
    names = {f"#{name}": name for text in texts for name in _NAME.findall(text)}
    encoded = {f":{name}": encode_value(value) for name, value in values.items()}
    named: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
    return named | ({"ExpressionAttributeValues": encoded} if encoded else {})
