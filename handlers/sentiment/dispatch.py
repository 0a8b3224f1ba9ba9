"""Lambda function: send one message per company to the work queue.

A run's id is made from the event that started it. A start that is delivered twice sends the same messages twice, and
`analyse` recognises them. One invocation sends a small table; a large table is split into scan segments, each of which
is sent by an invocation of its own.

A scheduled run is left out while companies of an earlier run are waiting: if a run takes longer than the interval of
the schedule, the next one would only make the queue grow. A run that is started by hand is never left out.
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
from handlers.sentiment.messages import CompanyMessage, Run, check_run, new_run, validation_message
from handlers.sentiment.sending import send_all
from schema.companies import COMPANY_KEY, PAGE
from schema.dynamodb import TypedItem, decode
from schema.wikipedia import PAGES_PER_REQUEST

# DynamoDB allows a million segments; this many concurrent invocations leave room in an account's default of 1,000.
MAX_SEGMENTS = 64
SEGMENTS_OF_UNKNOWN = 8
# What EventBridge calls itself in the events of its schedules.
SCHEDULE = "aws.events"
# With less time left than this, another invocation sends the rest of a segment.
MIN_SECONDS_LEFT = 15
# Messages that may wait when a scheduled run starts: one batch, which the last run may just be finishing.
MOST_WAITING = PAGES_PER_REQUEST
_ATTRIBUTES = {
    "ProjectionExpression": "#name, #page",
    "ExpressionAttributeNames": {"#name": COMPANY_KEY, "#page": PAGE},
}


class _Environment(msgspec.Struct, frozen=True):
    companies_table: str
    work_queue_url: str
    segment_size: Annotated[int, msgspec.Meta(ge=1)] = 2000


class Request(msgspec.Struct, frozen=True):
    """The event: one of EventBridge, with `id` and `time`, or one of this function's own.

    Attributes
    ----------
    run
        The run's id; made from `id` and `time` where it is absent.
    source
        `aws.events` for a run that a schedule starts.
    segment, segments
        Number of the scan segment to send, and number of all segments; the whole table where they are absent.
    start_key
        Key in the segment after which to continue.
    """

    run: Run | None = None
    source: str = ""
    id: str = ""
    time: datetime | None = None
    segment: int | None = None
    segments: int | None = None
    start_key: dict[str, Any] | None = None


environment = read_environment(_Environment)
dynamodb = aws_client("dynamodb")
sqs = aws_client("sqs")
lambda_ = aws_client("lambda")
threads = ThreadPoolExecutor(max_workers=16)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start a run, or send a part of one."""
    request = msgspec.convert(event, Request)
    run = request.run or new_run(request.time or datetime.now(UTC), request.id or context.aws_request_id)
    check_run(run, datetime.now(UTC))
    start_request(context, run=run)
    if request.run is None and request.source == SCHEDULE:
        answer = start_scheduled(run, context)
    else:
        answer = start(run, context) if request.segment is None else send_segment(run, request, context)
    logger.info("dispatched", extra=answer)
    return answer


def start_scheduled(run: str, context: Any) -> dict[str, Any]:
    """Start a run in another invocation, or leave it out.

    Lambda repeats that invocation if it fails. Here, the messages that had been sent by then would count as those of an
    earlier run.
    """
    waiting = count_waiting()
    if left_out := waiting > MOST_WAITING:
        logger.warning("run left out, companies of an earlier run are waiting", extra={"waiting": waiting})
        emit_counts("dispatch", {"RunsLeftOut": 1}, run=run)
    else:
        invoke_again({"run": run}, context)
    return {"run": run, "left_out": left_out, "waiting": waiting}


def start(run: str, context: Any) -> dict[str, Any]:
    """Send the whole table, or start an invocation per segment where it is larger than one segment."""
    first = dynamodb.scan(
        TableName=environment.companies_table,
        Limit=environment.segment_size,
        **_ATTRIBUTES,
    )
    if "LastEvaluatedKey" not in first:
        return {"run": run, "companies": send(run, first["Items"])}
    segments = segments_for(count_companies(), environment.segment_size)
    requests = [{"run": run, "segment": number, "segments": segments} for number in range(segments)]
    list(threads.map(lambda request: invoke_again(request, context), requests))
    return {"run": run, "segments": segments}


def send_segment(run: str, request: Request, context: Any) -> dict[str, Any]:
    """Send a scan segment; where the time runs out, another invocation sends the rest."""
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
) -> Iterator[tuple[list[TypedItem], dict[str, Any] | None]]:
    """Read a segment of the table: its pages, each with the key of the next one."""
    key = start_key
    while True:
        page = dynamodb.scan(
            TableName=environment.companies_table,
            Segment=segment,
            TotalSegments=segments,
            **_ATTRIBUTES,
            **({"ExclusiveStartKey": key} if key else {}),
        )
        key = page.get("LastEvaluatedKey")
        yield page["Items"], key
        if not key:
            return


def send(run: str, items: list[TypedItem]) -> int:
    """Send a message per item of the table; returns the number of messages."""
    messages = [message for item in items if (message := to_message(run, item))]
    send_all(sqs.send_message_batch, environment.work_queue_url, messages, threads)
    emit_counts("dispatch", {"Companies": len(messages)}, run=run)
    return len(messages)


def to_message(run: str, item: TypedItem) -> CompanyMessage | None:
    """Make the message of an item of the table; None where `analyse` would refuse it every time."""
    company = decode(item)
    name = company[COMPANY_KEY]
    try:
        return msgspec.convert({"run": run, "company": name, "page": company.get(PAGE) or None}, CompanyMessage)
    except msgspec.ValidationError as error:
        logger.error("company left out", extra={"company": name, "reason": validation_message(error)})
        return None


def count_waiting() -> int:
    """Estimate the number of messages that wait for an invocation, or for their time to come."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    answer = sqs.get_queue_attributes(QueueUrl=environment.work_queue_url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def count_companies() -> int:
    """Estimate the number of companies; DynamoDB updates this count every six hours."""
    return dynamodb.describe_table(TableName=environment.companies_table)["Table"]["ItemCount"]


def segments_for(companies: int, segment_size: int) -> int:
    """Choose the number of segments of a table that does not fit one.

    The count is up to six hours old, so it may predate a large import and say that the table fits one segment.
    """
    if companies <= segment_size:
        return SEGMENTS_OF_UNKNOWN
    return min(MAX_SEGMENTS, -(-companies // segment_size))


def invoke_again(request: dict[str, Any], context: Any, invoke: Callable[..., Any] = lambda_.invoke) -> None:
    """Start another invocation of this function, for a part of the run."""
    invoke(
        FunctionName=context.invoked_function_arn,
        InvocationType="Event",
        Payload=json.dumps(request).encode(),
    )
