"""Lambda function: observe the companies of a batch of messages.

Up to 50 messages take one read, one request for the revisions of their pages, one for up to 20 texts that changed, one
Comprehend call for up to 25 texts that were never analysed, one write of what changed, one summary and one result
object. A company of which nothing changed takes one small update. Failed messages are answered as a partial batch
failure. They come back alone: the more often one has failed, the later. Messages for which there was no turn at the
text source are put back as new ones.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import msgspec
from botocore.config import Config

from handlers.common.clients import aws_client
from handlers.common.environment import read_environment
from handlers.common.logs import start_request
from handlers.common.metrics import emit_counts
from handlers.sentiment.batch import Batch
from handlers.sentiment.observations import Observations
from handlers.sentiment.observing import Observer
from handlers.sentiment.publishing import Publisher
from handlers.sentiment.request_budget import RequestBudget
from handlers.sentiment.sentiments import Sentiments
from handlers.sentiment.wikipedia.action_api import ActionApi
from handlers.sentiment.wikipedia.source import Wikipedia

# One fetches texts, one analyses them; the others update items. Those that hang leave threads for the next invocation.
THREADS = 16


class _Environment(msgspec.Struct, frozen=True):
    observations_table: str
    results_bucket: str
    work_queue_url: str
    budget_table: str
    text_source_url: str
    text_requests_per_minute: Annotated[int, msgspec.Meta(ge=1)]
    contact: str
    version: str
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
threads = ThreadPoolExecutor(max_workers=THREADS)
budget = RequestBudget(dynamodb, environment.budget_table, environment.text_requests_per_minute)
api = ActionApi(environment.text_source_url, environment.contact, environment.version, budget)
source = Wikipedia(api, environment.language)
table = Observations(dynamodb, environment.observations_table, environment.retention_days, threads)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Observe the companies; answers which messages have to come back."""
    start_request(context)
    batch = Batch(event["Records"])
    requests, refusals = api.requests, api.refusals
    deadline_seconds = context.get_remaining_time_in_millis() / 1000
    sentiments = Sentiments(comprehend.batch_detect_sentiment)
    observer = Observer(source, sentiments, threads, deadline_seconds, table.analyses)
    publisher = Publisher(table, s3, environment.results_bucket, deadline_seconds)
    publisher.run(batch, observer)
    batch.postpone(sqs.send_message_batch, environment.work_queue_url)
    batch.report(observer.calls, table.charged_units())
    counts = {"Requests": api.requests - requests}
    if api.refusals > refusals:  # a metric costs nothing as long as it has no data
        counts["Refusals"] = api.refusals - refusals
    emit_counts("text-source", counts, request_id=context.aws_request_id)
    batch.delay_failures(sqs.change_message_visibility_batch, environment.work_queue_url, environment.retry_seconds)
    return batch.answer()
