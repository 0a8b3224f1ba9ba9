"""The number of companies that are watched, which is a quota."""

from __future__ import annotations

from typing import Any

from handlers.common.quotas import over_quota


def require_room(dynamodb: Any, table: str, limit: int, more: int) -> None:
    """Refuse to watch more companies than the stack may.

    The companies themselves are counted, so no counter can be wrong. Requests at the same time do not see each other's
    companies, and may together exceed the quota by what they add.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    table
        Name of the table of companies.
    limit
        Companies that the stack watches.
    more
        How many more there would be; 0 or less always have room.

    Raises
    ------
    Problem
        There is no room for so many.
    """
    if more <= 0:
        return
    watched = _count(dynamodb, table, limit)
    if watched + more > limit:
        raise over_quota("companies", limit, watched, "Remove companies first.")


def _count(dynamodb: Any, table: str, enough: int) -> int:
    """Count companies, up to a number that is enough to know."""
    found = 0
    request: dict[str, Any] = {"TableName": table, "Select": "COUNT"}
    while found < enough:
        page = dynamodb.scan(**request)
        found += page["Count"]
        if "LastEvaluatedKey" not in page:
            return found
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    return found
