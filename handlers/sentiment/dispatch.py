"""Lambda function: send one message for every company to the work queue.

A run's name comes from what started it, so that a start delivered twice makes the same messages, which `analyse`
recognises. Small tables are sent by this invocation; of a large one, invocations of their own send a scan segment each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from handlers.common.clients import aws_client
from handlers.common.environment import read_environment
from handlers.common.logs import logger, start_request
from handlers.common.metrics import emit_counts
from handlers.sentiment.sending import send_all
from handlers.sentiment.work import Run, Work, new_run, validation_message

# DynamoDB allows a million segments; this many concurrent invocations leave room in an account's default of 1,000.
MAX_SEGMENTS = 64
SEGMENTS_OF_UNKNOWN = 8
# With less time left than this, the rest of a segment is handed to another invocation.
MIN_SECONDS_LEFT = 15


class Environment(msgspec.Struct, frozen=True):
    """What the stack tells this function."""

    companies_table: str
    work_queue_url: str
    segment_size: Annotated[int, msgspec.Meta(ge=1)] = 2000


class Request(msgspec.Struct, frozen=True):
    """What may be asked of this function; EventBridge's events bring `id` and `time`.

    Attributes
    ----------
    run
        Name of the run; made from `id` and `time` where it is absent.
    segment, segments
        The part of the table to send; all of it where they are absent.
    start_key
        Where in the segment to go on.
    """

    run: Run | None = None
    id: str = ""
    time: datetime | None = None
    segment: int | None = None
    segments: int | None = None
    start_key: dict[str, Any] | None = None


environment = read_environment(Environment)
dynamodb = aws_client("dynamodb")
sqs = aws_client("sqs")
lambda_ = aws_client("lambda")
threads = ThreadPoolExecutor(max_workers=16)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start a run, or go on with a part of one."""
    request = msgspec.convert(event, Request)
    run = request.run or new_run(request.time or datetime.now(UTC), request.id or context.aws_request_id)
    start_request(context, run=run)
    answer = start(run, context) if request.segment is None else send_segment(run, request, context)
    logger.info("dispatched", extra=answer)
    return answer


def start(run: str, context: Any) -> dict[str, Any]:
    """Send the whole table, or have its segments sent when it is larger than one segment should be."""
    first = dynamodb.scan(
        TableName=environment.companies_table,
        Limit=environment.segment_size,
        ProjectionExpression="#name, page",
        ExpressionAttributeNames={"#name": "name"},
    )
    if "LastEvaluatedKey" not in first:
        return {"run": run, "companies": send(run, first["Items"])}
    segments = segments_for(count_companies(), environment.segment_size)
    requests = [{"run": run, "segment": number, "segments": segments} for number in range(segments)]
    list(threads.map(lambda request: invoke_again(request, context), requests))
    return {"run": run, "segments": segments}


def send_segment(run: str, request: Request, context: Any) -> dict[str, Any]:
    """Send one scan segment, as far as the time allows."""
    sent = 0
    for items, next_key in pages(request.segment or 0, request.segments or 1, request.start_key):
        sent += send(run, items)
        if next_key and context.get_remaining_time_in_millis() < MIN_SECONDS_LEFT * 1000:
            rest = {
                "run": run,
                "segment": request.segment,
                "segments": request.segments,
                "start_key": next_key,
            }
            invoke_again(rest, context)
            break
    return {"run": run, "segment": request.segment, "companies": sent}


def pages(
    segment: int, segments: int, start_key: dict[str, Any] | None
) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any] | None]]:
    """Read a segment of the table: its pages, each with the key of the next one."""
    key = start_key
    while True:
        page = dynamodb.scan(
            TableName=environment.companies_table,
            Segment=segment,
            TotalSegments=segments,
            ProjectionExpression="#name, page",
            ExpressionAttributeNames={"#name": "name"},
            **({"ExclusiveStartKey": key} if key else {}),
        )
        key = page.get("LastEvaluatedKey")
        yield page["Items"], key
        if not key:
            return


def send(run: str, items: list[dict[str, Any]]) -> int:
    """Send a message for each item of the table; returns how many there were."""
    works = [work for item in items if (work := to_work(run, item))]
    send_all(sqs.send_message_batch, environment.work_queue_url, works, threads)
    emit_counts("dispatch", {"Companies": len(works)}, run=run)
    return len(works)


def to_work(run: str, item: dict[str, Any]) -> Work | None:
    """Make the message of an item of the table, or none where `analyse` would never take it."""
    name, page = item["name"]["S"], item.get("page", {}).get("S")
    try:
        return msgspec.convert({"run": run, "company": name, "page": page or None}, Work)
    except msgspec.ValidationError as error:
        logger.error("company left out", extra={"company": name, "reason": validation_message(error)})
        return None


def count_companies() -> int:
    """Say about how many companies there are (DynamoDB renews this figure every six hours)."""
    return dynamodb.describe_table(TableName=environment.companies_table)["Table"]["ItemCount"]


def segments_for(companies: int, segment_size: int) -> int:
    """Choose how many segments to cut a table into that does not fit one.

    A count that says it would fit is up to six hours old: of before a large import, perhaps.
    """
    if companies <= segment_size:
        return SEGMENTS_OF_UNKNOWN
    return min(MAX_SEGMENTS, -(-companies // segment_size))


def invoke_again(request: dict[str, Any], context: Any, invoke: Callable[..., Any] = lambda_.invoke) -> None:
    """Have another invocation of this function do a part of the run."""
    invoke(
        FunctionName=context.invoked_function_arn,
        InvocationType="Event",
        Payload=json.dumps(request).encode(),
    )
