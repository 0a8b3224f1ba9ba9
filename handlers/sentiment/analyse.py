"""Lambda function: observe the companies of a batch of messages.

Up to 25 messages take one read, one Comprehend call for the texts that were never analysed, one write of what changed,
one summary and one result object. A company of which nothing changed takes one small update.
Failed messages are answered as a partial batch failure. They come back alone: the more often one has failed, the later.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import msgspec
from botocore.config import Config

from handlers.common.clients import aws_client
from handlers.common.environment import read_environment
from handlers.common.logs import start_request
from handlers.sentiment.batch import Batch
from handlers.sentiment.observations import Observations
from handlers.sentiment.observing import Observer
from handlers.sentiment.publishing import Publisher
from handlers.sentiment.sentiments import Sentiments
from handlers.sentiment.wikipedia import Wikipedia

CONCURRENCY = 25


class _Environment(msgspec.Struct, frozen=True):
    observations_table: str
    results_bucket: str
    work_queue_url: str
    text_source_url: str
    contact: str
    language: str
    retention_days: Annotated[int, msgspec.Meta(ge=1)]
    retry_seconds: Annotated[int, msgspec.Meta(ge=0)] = 30


environment = read_environment(_Environment)
# An invocation's time is short: a call that takes longer than a few seconds had better be repeated in another one.
_limits = Config(read_timeout=4)
dynamodb = aws_client("dynamodb", attempts=3, config=_limits)
sqs = aws_client("sqs", attempts=2, config=_limits)
s3 = aws_client("s3", attempts=3, config=_limits)
comprehend = aws_client("comprehend", attempts=3, config=_limits)
threads = ThreadPoolExecutor(max_workers=CONCURRENCY + 5)  # texts that hang must leave threads for sentiments
source = Wikipedia(environment.text_source_url, environment.language, environment.contact, CONCURRENCY)
table = Observations(dynamodb, environment.observations_table, environment.retention_days, threads)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Observe the companies; answers which messages have to come back."""
    start_request(context)
    batch = Batch(event["Records"])
    deadline_seconds = context.get_remaining_time_in_millis() / 1000
    sentiments = Sentiments(comprehend.batch_detect_sentiment)
    observer = Observer(source, sentiments, threads, deadline_seconds, table.analyses)
    publisher = Publisher(table, s3, environment.results_bucket, deadline_seconds)
    publisher.run(batch, observer)
    batch.report(observer.calls, table.charged_units())
    batch.delay_failures(sqs.change_message_visibility_batch, environment.work_queue_url, environment.retry_seconds)
    return batch.answer()
