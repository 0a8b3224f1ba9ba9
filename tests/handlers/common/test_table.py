"""The table: types there and back, reads that come in parts, transactions that meet others."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from handlers.common.table import WRITES, RefusedError, Table
from schema.dynamodb import decode, encode
from tests.handlers.aws_fakes import real_client

VALUES = st.text() | st.booleans() | st.integers(-(10**30), 10**30) | st.lists(st.text())


def cancelled(*codes: str) -> ClientError:
    reasons: Any = [{"Code": code, "Item": {"status": {"S": "completed"}}} for code in codes]
    error = {"Code": "TransactionCanceledException", "Message": ""}
    return ClientError({"Error": error, "CancellationReasons": reasons}, "TransactWriteItems")


class Recorder(Table):
    """A table whose client is a mock; waits are noted, not waited."""

    def __init__(self, **answers: Any) -> None:
        self.client = Mock(**{f"{name}.side_effect": answer for name, answer in answers.items()})
        self.waits: list[float] = []
        super().__init__(self.client, "t", self.waits.append)


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_what_goes_in_comes_out(values: dict[str, Any]) -> None:
    assert decode(encode(values)) == values


def test_what_has_no_value_is_left_out() -> None:
    assert encode({"a": None, "b": "", "c": False}) == {"b": {"S": ""}, "c": {"BOOL": False}}
    assert decode({"n": {"N": "0.5"}}) == {"n": 0.5}


def test_unread_keys_are_read_again_and_given_up_in_the_end() -> None:
    def item(number: int) -> dict[str, Any]:
        return {"pk": {"S": "p"}, "sk": {"S": str(number)}}

    unread = {"t": {"Keys": [item(2)]}}
    some = {"Responses": {"t": [item(1)]}, "UnprocessedKeys": unread}
    table = Recorder(batch_get_item=[some, {"Responses": {"t": [item(2)]}}])
    assert table.get_all([("p", "1"), ("p", "2"), ("p", "1"), ("p", "3")]) == [
        {"pk": "p", "sk": "1"},
        {"pk": "p", "sk": "2"},
        {"pk": "p", "sk": "1"},
        None,
    ]
    assert len(table.waits) == 1
    [first, second] = [call.kwargs["RequestItems"]["t"]["Keys"] for call in table.client.batch_get_item.mock_calls]
    assert (first, second) == ([item(1), item(2), item(3)], [item(2)])
    with pytest.raises(TimeoutError):
        Recorder(batch_get_item=lambda **_: some).get_all([("p", "1"), ("p", "2")])


def test_more_keys_than_a_call_takes_are_read_in_several() -> None:
    table = Recorder(batch_get_item=lambda **_: {"Responses": {}})
    assert table.get_all([("p", str(number)) for number in range(250)]) == [None] * 250
    sizes = [len(call.kwargs["RequestItems"]["t"]["Keys"]) for call in table.client.batch_get_item.mock_calls]
    assert sizes == [100, 100, 50]
    assert table.waits == []


def test_a_transaction_that_meets_another_is_tried_again() -> None:
    table = Recorder(transact_write_items=[cancelled("TransactionConflict", "None"), {}])
    table.transact([])
    assert len(table.waits) == 1
    always = Recorder(transact_write_items=[cancelled("TransactionConflict")] * WRITES.attempts)
    with pytest.raises(ClientError):
        always.transact([])


def test_an_update_that_meets_a_transaction_is_tried_again() -> None:
    conflict = ClientError({"Error": {"Code": "TransactionConflictException", "Message": ""}}, "UpdateItem")
    table = Recorder(update_item=[conflict, {"Attributes": {"name": {"S": "new"}}}])
    assert table.update(("p", "s"), {"name": "new"}, "attribute_exists(pk)") == {"name": "new"}
    assert len(table.waits) == 1
    with pytest.raises(ClientError):
        Recorder(update_item=[conflict] * WRITES.attempts).update(("p", "s"), {"name": "new"}, "attribute_exists(pk)")


def test_an_update_whose_condition_does_not_hold_says_what_is_there() -> None:
    response: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": {"owner": {"S": "ann"}}}
    table = Recorder(update_item=[ClientError(response, "UpdateItem")])
    with pytest.raises(RefusedError) as caught:
        table.update(("p", "s"), {"name": "new"}, "#owner = :owner", {"owner": "bob"})
    assert caught.value.refused == {0: {"owner": "ann"}}
    assert table.waits == []


def test_a_condition_that_does_not_hold_is_not_tried_again() -> None:
    table = Recorder(transact_write_items=[cancelled("TransactionConflict", "ConditionalCheckFailed")])
    with pytest.raises(RefusedError) as caught:
        table.transact([])
    assert caught.value.refused == {1: {"status": "completed"}}
    for code in ("ValidationError", "ItemCollectionSizeLimitExceeded"):
        with pytest.raises(ClientError):
            Recorder(transact_write_items=[cancelled(code)]).transact([])


def test_expressions_name_every_attribute_and_value() -> None:
    """Many of the attributes are words that DynamoDB reserves."""
    table = Table(real_client("dynamodb"), "t")
    changes = {"status": "failed", "cause": None}
    update = table.update_action(("p", "s"), changes, "#status = :running", {"running": "running"})["Update"]
    assert update == {
        "TableName": "t",
        "Key": {"pk": {"S": "p"}, "sk": {"S": "s"}},
        "UpdateExpression": "SET #status = :set_status REMOVE #cause",
        "ConditionExpression": "#status = :running",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        "ExpressionAttributeNames": {"#status": "status", "#cause": "cause"},
        "ExpressionAttributeValues": {":running": {"S": "running"}, ":set_status": {"S": "failed"}},
    }
