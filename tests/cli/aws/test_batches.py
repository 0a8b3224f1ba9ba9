"""Batches of DynamoDB requests: what DynamoDB did not take is sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from cli.aws.batches import BACKOFF, read_batches, write_batches
from cli.ui.errors import CliError
from tests.support.cli_aws import make_client

NOWHERE = "http://127.0.0.1:1"


class Raw:
    """A body as urllib3 gives it to botocore."""

    def __init__(self, content: bytes):
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


def client_answering(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A DynamoDB client whose requests are answered before they are sent."""
    client = make_client("dynamodb", NOWHERE)

    def respond(request: Any, **_: Any) -> AWSResponse:
        content = json.dumps(answer(json.loads(request.body)))
        return AWSResponse(request.url, 200, {}, Raw(content.encode()))

    client.meta.events.register("before-send.dynamodb", respond)
    return client


def puts(count: int) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": {"name": {"S": f"n{number}"}}}} for number in range(count)]


def names(requests: list[dict[str, Any]]) -> list[str]:
    return [request["PutRequest"]["Item"]["name"]["S"] for request in requests]


def test_refused_writes_are_sent_again_until_taken() -> None:
    taken: list[str] = []
    sizes: list[int] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        requests = body["RequestItems"]["t"]
        sizes.append(len(requests))
        taken.extend(names(requests[:10]))
        return {"UnprocessedItems": {"t": requests[10:]} if requests[10:] else {}}

    pauses: list[float] = []
    finished: list[int] = []
    write_batches(client_answering(answer), "t", puts(60), finished.append, pauses.append)
    assert sorted(taken) == sorted(names(puts(60)))
    assert sum(finished) == 60
    assert max(sizes) == 25
    assert len(pauses) == 4  # 25, 15, 5 twice; the ten of the third part are taken at once
    assert all(0 <= pause <= BACKOFF.longest_seconds for pause in pauses)


def test_writes_refused_for_ever_end_with_an_error() -> None:
    calls: list[int] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        calls.append(1)
        return {"UnprocessedItems": body["RequestItems"]}

    pauses: list[float] = []
    with pytest.raises(CliError, match="refused 3 writes"):
        write_batches(client_answering(answer), "t", puts(3), sleep=pauses.append)
    assert len(calls) == BACKOFF.attempts
    assert len(pauses) == BACKOFF.attempts - 1


def test_an_error_in_one_part_is_raised() -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        refused = "n30" in names(body["RequestItems"]["t"])
        return {"UnprocessedItems": body["RequestItems"] if refused else {}}

    with pytest.raises(CliError, match="refused 25 writes"):
        write_batches(client_answering(answer), "t", puts(100), sleep=lambda _: None)


def test_unprocessed_keys_are_read_again() -> None:
    sizes: list[int] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        keys = body["RequestItems"]["t"]["Keys"]
        sizes.append(len(keys))
        projection = body["RequestItems"]["t"]
        assert projection["ExpressionAttributeNames"] == {"#a0": "company", "#a1": "label"}
        rest = keys[40:]
        return {
            "Responses": {"t": [{"company": key["company"]} for key in keys[:40]]},
            "UnprocessedKeys": {"t": {"Keys": rest}} if rest else {},
        }

    keys = [{"company": {"S": f"c{number}"}} for number in range(150)]
    found = read_batches(client_answering(answer), "t", keys, ("company", "label"), sleep=lambda _: None)
    assert sorted(item["company"] for item in found) == sorted(f"c{number}" for number in range(150))
    assert sorted(sizes) == [10, 20, 50, 60, 100]


def test_pauses_are_random() -> None:
    pauses: list[float] = []
    with pytest.raises(CliError):
        write_batches(
            client_answering(lambda body: {"UnprocessedItems": body["RequestItems"]}),
            "t",
            puts(1),
            sleep=pauses.append,
        )
    assert all(first != second for first, second in pairwise(pauses))


def test_nothing_to_do_sends_nothing() -> None:
    def answer(_: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("no request was expected")

    write_batches(client_answering(answer), "t", [])
    assert read_batches(client_answering(answer), "t", []) == []
