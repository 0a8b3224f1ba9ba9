"""Codec for the typed values and items of Amazon DynamoDB's interface.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# An item in DynamoDB's typed form.
TypedItem = dict[str, dict[str, Any]]


def encode_value(value: Any) -> dict[str, Any]:
    """Turn a string, number, boolean or None, a list or mapping of them, or a set of strings, into the typed form.

    Raises
    ------
    TypeError
        The value is of another type.
    """
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float)):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, frozenset):
        return {"SS": sorted(value)}
    if isinstance(value, (list, tuple)):
        return {"L": [encode_value(entry) for entry in value]}
    if isinstance(value, Mapping):
        return {"M": {name: encode_value(entry) for name, entry in value.items()}}
    raise TypeError(f"{type(value).__name__} has no typed form")


def decode_value(value: Mapping[str, Any]) -> Any:
    """Turn a value in the typed form into a plain one; the inverse of `encode_value`."""
    ((kind, content),) = value.items()
    if kind == "N":
        return float(content) if any(mark in content for mark in ".eE") else int(content)
    if kind == "L":
        return [decode_value(entry) for entry in content]
    if kind == "SS":
        return frozenset(content)
    if kind == "M":
        return {name: decode_value(entry) for name, entry in content.items()}
    return None if kind == "NULL" else content


def encode(attributes: Mapping[str, Any]) -> TypedItem:
    """Turn attributes into an item; those whose value is None are left out."""
    return {name: encode_value(value) for name, value in attributes.items() if value is not None}


def decode(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Turn an item into attributes; the inverse of `encode`."""
    return {name: decode_value(value) for name, value in item.items()}


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Compute the size by which DynamoDB charges for an item.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        digits = content.partition("e")[0].lstrip("-").replace(".", "").strip("0")
        return 1 + -(-len(digits) // 2) + content.startswith("-")
    if kind == "S":
        return len(content.encode())
    if kind == "L":
        return 3 + sum(1 + _value_bytes(entry) for entry in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_bytes(entry) for name, entry in content.items())
    return 1
