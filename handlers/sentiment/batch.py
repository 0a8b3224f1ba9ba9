"""A batch of messages of the work queue, and what became of each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from handlers.common.backoff import full_jitter
from handlers.common.logs import logger
from handlers.common.metrics import emit_counts
from handlers.sentiment.observations import Observation
from handlers.sentiment.work import Work, chunks, parse_work, validation_message

# Amazon SQS: at most 12 hours, of which a quarter of an hour is enough for any source to recover.
MAX_DELAY_SECONDS = 900
# Amazon SQS: at most 10 entries a ChangeMessageVisibilityBatch.
VISIBILITY_BATCH = 10

_METRIC_OF_LABEL = {"NOT_FOUND": "NotFound", "AMBIGUOUS": "Ambiguous", "UNSUPPORTED": "Unsupported"}


class Failure(msgspec.Struct, frozen=True):
    """Why a message has to come back.

    Attributes
    ----------
    reason
        For the log.
    retry_after
        Seconds that have to pass before another attempt makes sense.
    """

    reason: str
    retry_after: float = 0


class Batch:
    """Messages by the work they ask for; the same work asked for twice is done once.

    Parameters
    ----------
    records
        `Records` of an event of an SQS event source.

    Attributes
    ----------
    works
        What is to be done, without repetition.
    """

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._records: dict[Work, list[dict[str, Any]]] = {}
        self._failed: list[tuple[dict[str, Any], Failure]] = []
        self._counts: Counter[str] = Counter(Companies=0, Analysed=0, Unchanged=0, NotFound=0, Failed=0)
        for record in records:
            try:
                work = parse_work(record["body"])
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                self._fail(record, Failure(f"message not understood: {validation_message(error)}"), {})
                continue
            self._records.setdefault(work, []).append(record)
        self.works = list(self._records)
        self._counts["Companies"] = len(self.works)

    def fail(self, work: Work, failure: Failure) -> None:
        """Have the messages that ask for this work come back."""
        for record in self._records[work]:
            self._fail(record, failure, {"run": work.run, "company": work.company})

    def succeed(self, observation: Observation) -> None:
        """Count what was published; its messages do not come back."""
        kind = "Unchanged" if observation.unchanged else "Analysed"
        self._counts[_METRIC_OF_LABEL.get(observation.label, kind)] += 1
        logger.debug("observed", extra={"run": observation.run, "company": observation.company})

    def skip(self, work: Work) -> None:
        """Count what had been published before; its messages do not come back."""
        self._counts["Repeated"] += 1
        logger.info("published before", extra={"run": work.run, "company": work.company})

    def report(self, comprehend_calls: int) -> None:
        """Write the batch's metrics."""
        runs = sorted({work.run for work in self.works})
        emit_counts("analyse", {**self._counts, "ComprehendCalls": comprehend_calls}, runs=",".join(runs))

    def delay_failures(self, change_visibility: Callable[..., Any], queue_url: str, base_seconds: int) -> None:
        """Choose when each failed message comes back: later the more often it has failed.

        Without it, every one of them would come back after the queue's visibility timeout, which has to outlast a whole
        invocation many times over. A refusal is only logged, because they then still do.

        Parameters
        ----------
        change_visibility
            `change_message_visibility_batch` of an SQS client.
        queue_url
            The queue they came from.
        base_seconds
            Longest delay after a first failure; it doubles with every further one.
        """
        entries = [
            {
                "Id": str(number),
                "ReceiptHandle": record["receiptHandle"],
                "VisibilityTimeout": _delay(record, failure, base_seconds),
            }
            for number, (record, failure) in enumerate(self._failed)
        ]
        for some in chunks(entries, VISIBILITY_BATCH):
            try:
                refused = change_visibility(QueueUrl=queue_url, Entries=some).get("Failed", [])
            except Exception as error:
                logger.warning("delay refused", extra={"reason": str(error)})
            else:
                for entry in refused:
                    logger.warning("message not delayed", extra={"reason": entry.get("Message", entry["Code"])})

    def answer(self) -> dict[str, list[dict[str, str]]]:
        """Make Lambda's partial batch answer."""
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record, _ in self._failed]}

    def _fail(self, record: dict[str, Any], failure: Failure, fields: dict[str, str]) -> None:
        self._failed.append((record, failure))
        self._counts["Failed"] += 1
        logger.error(
            "message failed",
            extra={
                **fields,
                "reason": failure.reason,
                "message_id": record["messageId"],
                "receive_count": _receive_count(record),
            },
        )


def _receive_count(record: dict[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def _delay(record: dict[str, Any], failure: Failure, base_seconds: int) -> int:
    jitter = full_jitter(_receive_count(record), base_seconds, MAX_DELAY_SECONDS)
    return math.ceil(min(MAX_DELAY_SECONDS, failure.retry_after + jitter))
