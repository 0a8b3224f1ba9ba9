"""Values in DynamoDB's typed form."""

from __future__ import annotations

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from schema.dynamodb import decode, encode, encode_value

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text()
    | st.floats(0, 1).map(lambda score: round(score, 9)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), PLAIN))
def test_items_come_back_as_they_were(attributes: dict[str, object]) -> None:
    there = {name: value for name, value in attributes.items() if value is not None}
    assert decode(encode(attributes)) == there


@given(PLAIN)
def test_boto3_reads_the_same(value: object) -> None:
    assert _plain(TypeDeserializer().deserialize(encode_value(value))) == value


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return float(str(value)) if type(value).__name__ == "Decimal" else value


def test_whole_numbers_stay_whole() -> None:
    assert [type(value) for value in decode({"a": {"N": "3"}, "b": {"N": "3.5"}, "c": {"N": "1E+2"}}).values()] == [
        int,
        float,
        float,
    ]


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="set has no typed form"):
        encode_value({1})
