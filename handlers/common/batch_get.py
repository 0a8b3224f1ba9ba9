"""Reading many items of a DynamoDB table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from schema.dynamodb import TypedItem
from schema.limits import DYNAMODB_READ_KEYS
from schema.retry import Backoff, attempts


def batch_get(
    dynamodb: Any,
    table: str,
    keys: Sequence[TypedItem],
    backoff: Backoff,
    *,
    consistent: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> list[TypedItem]:
    """Read items by their keys. DynamoDB may leave keys unread; those are requested again.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    table
        The table's name.
    keys
        Keys in DynamoDB's typed form, without repetition.
    backoff
        Attempts and pauses of each call; a call takes 100 keys.
    consistent
        Read items as they are now; otherwise they may be out of date for moments.
    sleep
        Waits a number of seconds.

    Returns
    -------
    The items that exist, in no particular order.

    Raises
    ------
    TimeoutError
        Keys were left unread in every attempt.
    """
    found: list[TypedItem] = []
    for start in range(0, len(keys), DYNAMODB_READ_KEYS):
        unread = list(keys[start : start + DYNAMODB_READ_KEYS])
        for _ in attempts(backoff, sleep):
            request = {table: {"Keys": unread, "ConsistentRead": consistent}}
            answer = dynamodb.batch_get_item(RequestItems=request)
            found += answer["Responses"].get(table, [])
            unread = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not unread:
                break
        else:
            raise TimeoutError(f"DynamoDB left {len(unread)} keys unread in {backoff.attempts} attempts")
    return found
