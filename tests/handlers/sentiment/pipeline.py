"""The analysing side of the pipeline on fakes: deliver messages to it, look at what was published."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from handlers.sentiment.batch import Batch
from handlers.sentiment.observations import Observations
from handlers.sentiment.observing import Observer
from handlers.sentiment.publishing import CLOCK_MARGIN_SECONDS, Publisher
from handlers.sentiment.sentiments import Sentiments
from handlers.sentiment.texts import Answers, NoText, SourceError, Text, Unchanged, Wanted
from schema.companies import BATCH_COLUMNS, BATCHES_PREFIX
from tests.handlers.aws_fakes import BUCKET, QUEUE, TABLE, FakeComprehend, FakeDynamoDB, FakeS3, FakeSqs

RUN = "20261121T065200Z-1a2b3c4d"
NEWER_RUN = "20261121T065700Z-00000001"
# How long an invocation may last, in seconds.
LIMIT = 30.0

Found = Text | NoText | Exception | Callable[[], Text | NoText]


def body(company: str, run: str = RUN, page: str | None = None) -> str:
    return json.dumps({"run": run, "company": company} | ({"page": page} if page is not None else {}))


def record(text: str, message_id: str = "m0", receive_count: int = 1) -> dict[str, Any]:
    """A message as Lambda's SQS event source hands it over."""
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": text,
        "attributes": {"ApproximateReceiveCount": str(receive_count), "SentTimestamp": "1732171920000"},
        "eventSource": "aws:sqs",
    }


def records(*companies: str, run: str = RUN) -> list[dict[str, Any]]:
    return [record(body(company, run), f"{company}@{run}") for company in companies]


def ids(*companies: str, run: str = RUN) -> list[str]:
    """Ids of the messages that `records` makes."""
    return [f"{company}@{run}" for company in companies]


def failed(batch: Batch) -> list[str]:
    return [entry["itemIdentifier"] for entry in batch.answer()["batchItemFailures"]]


class Context:
    """Lambda's context object."""

    aws_request_id = "8f5b6f0e-0000-4000-8000-000000000001"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:dispatch"

    def __init__(self, *milliseconds_left: int) -> None:
        self._left = list(milliseconds_left or [30_000])

    def get_remaining_time_in_millis(self) -> int:
        """Time left: the given figures one after the other, then the last one again."""
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.time = 1_795_600_000.25  # after the runs of the tests

    def __call__(self) -> float:
        return self.time


class FakeSource:
    """Texts by title; a title that was not given has a text of its own."""

    language = "en"

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self.asked: list[str] = []
        self.batches: list[list[Wanted]] = []

    def fetch(self, wanted: Sequence[Wanted], deadline: float) -> Answers:
        self.batches.append(list(wanted))
        self.asked += [one.title for one in wanted]
        return {one: self._find(one) for one in wanted}

    def _find(self, wanted: Wanted) -> Text | Unchanged | NoText | SourceError:
        title = wanted.title
        found = self.found.get(title, Text(f"{title} is good", "en", f"revision of {title}"))
        if isinstance(found, SourceError):
            return found
        if isinstance(found, Exception):
            raise found
        answer = found if isinstance(found, Text | NoText) else found()
        return Unchanged() if wanted.revision and wanted.revision == answer.revision else answer


@dataclass
class Pipeline:
    """All that outlives an invocation."""

    threads: Executor
    dynamodb: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    s3: FakeS3 = field(default_factory=FakeS3)
    sqs: FakeSqs = field(default_factory=FakeSqs)
    comprehend: FakeComprehend = field(default_factory=FakeComprehend)
    source: FakeSource = field(default_factory=FakeSource)
    clock: Clock = field(default_factory=Clock)

    def table(self) -> Observations:
        return Observations(self.dynamodb, TABLE, 90, self.threads, sleep=lambda _: None)

    def deliver(
        self, messages: list[dict[str, Any]], seconds: float = LIMIT, table: Observations | None = None
    ) -> Batch:
        """Run one invocation, up to its answer."""
        batch, table = Batch(messages, self.clock), table or self.table()
        sentiments = Sentiments(self.comprehend.batch_detect_sentiment, sleep=lambda _: None)
        observer = Observer(self.source, sentiments, self.threads, seconds, table.analyses)
        Publisher(table, self.s3, BUCKET, seconds, self.clock).run(batch, observer)
        return batch

    def delays(self, batch: Batch, base_seconds: int = 10) -> dict[str, int]:
        """Seconds until each failed message of a batch comes back, by its id."""
        batch.delay_failures(self.sqs.change_message_visibility_batch, QUEUE, base_seconds)
        return {handle.removeprefix("receipt-"): delay for handle, delay in self.sqs.delays.items()}

    def pass_claims(self) -> None:
        """Let so much time pass that no invocation from before can be at work."""
        self.clock.time += LIMIT + CLOCK_MARGIN_SECONDS + 1

    def published(self) -> list[tuple[str, str]]:
        """Run and company of every row that users see."""
        return sorted((row["run"], row["company"]) for row in self.s3.rows())

    def counted(self, run: str) -> Counter[str]:
        """The summaries of a run's batches, added up."""
        total: Counter[str] = Counter()
        for row in self.s3.rows(BATCHES_PREFIX):
            if row["run"] == run:
                total.update({name: int(row[name]) for name in BATCH_COLUMNS[2:]})
        return total

    def latest(self, company: str) -> str:
        return self.dynamodb.items[company, "latest"]["run"]["S"]
