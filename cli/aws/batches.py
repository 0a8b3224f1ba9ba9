"""DynamoDB in batches: requests of full size, several at a time, repeating what DynamoDB did not take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from cli.aws.deployment import WORKERS
from cli.ui.errors import CliError
from schema.dynamodb import decode
from schema.limits import DYNAMODB_READ_KEYS, DYNAMODB_WRITE_ITEMS
from schema.retry import Backoff, attempts

# For items that DynamoDB left unprocessed. The pauses add up to 17 s at most.
BACKOFF = Backoff(attempts=9, first_seconds=0.1, longest_seconds=5)
Part = TypeVar("Part")
Item = dict[str, Any]


def parts(items: Sequence[Part], size: int) -> Iterator[Sequence[Part]]:
    """Cut a sequence into parts of at most ``size`` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def write_batches(
    client: Any,
    table: str,
    requests: Sequence[Item],
    finished: Callable[[int], None] = lambda _count: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send put and delete requests, 25 at a time, from several threads.

    Parameters
    ----------
    client : boto3 DynamoDB client
    table : str
        The table's name.
    requests : sequence of dict
        ``{"PutRequest": ...}`` or ``{"DeleteRequest": ...}``; no key twice.
    finished : callable
        Called, from any thread, with the number of requests just done.
    sleep : callable
        Waits a number of seconds.

    Raises
    ------
    CliError
        When DynamoDB keeps refusing some of them. What was done stays done.
    """

    def send(pending: list[Item]) -> list[Item]:
        answer = client.batch_write_item(RequestItems={table: pending})
        refused = answer.get("UnprocessedItems", {}).get(table, [])
        finished(len(pending) - len(refused))
        return refused

    _in_threads(lambda part: _repeat(send, list(part), sleep, "writes"), list(parts(requests, DYNAMODB_WRITE_ITEMS)))


def read_batches(
    client: Any,
    table: str,
    keys: Sequence[Item],
    attributes: Sequence[str] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> list[dict[str, Any]]:
    """Read the items that exist under some keys, 100 keys at a time, from several threads.

    Parameters
    ----------
    client : boto3 DynamoDB client
    table : str
        The table's name.
    keys : sequence of dict
        Keys in DynamoDB's form; no key twice.
    attributes : sequence of str
        Attributes to read; all when empty.
    sleep : callable
        Waits a number of seconds.

    Returns
    -------
    list of dict
        The items as plain Python values, in no particular order.

    Raises
    ------
    CliError
        When DynamoDB keeps refusing some of them.
    """
    projection = _projection(attributes)
    found: list[dict[str, Any]] = []

    def fetch(pending: list[Item]) -> list[Item]:
        answer = client.batch_get_item(RequestItems={table: {"Keys": pending, **projection}})
        found.extend(decode(item) for item in answer["Responses"].get(table, []))
        return answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])

    _in_threads(lambda part: _repeat(fetch, list(part), sleep, "reads"), list(parts(keys, DYNAMODB_READ_KEYS)))
    return found


def _projection(attributes: Sequence[str]) -> dict[str, Any]:
    if not attributes:
        return {}
    names = {f"#a{number}": attribute for number, attribute in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def _repeat(
    send: Callable[[list[Item]], list[Item]], pending: list[Item], sleep: Callable[[float], None], what: str
) -> None:
    for _ in attempts(BACKOFF, sleep):
        pending = send(pending)
        if not pending:
            return
    raise CliError(
        f"DynamoDB is busy and refused {len(pending)} {what} after {BACKOFF.attempts} attempts: "
        "run the command again in a minute; what was done stays done."
    )


def _in_threads(work: Callable[[Sequence[Item]], None], jobs: Sequence[Sequence[Item]]) -> None:
    if len(jobs) <= 1:
        for job in jobs:
            work(job)
        return
    with ThreadPoolExecutor(min(WORKERS, len(jobs))) as threads:
        futures = [threads.submit(work, job) for job in jobs]
        try:
            for future in futures:
                future.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
