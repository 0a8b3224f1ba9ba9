"""A batch of messages of the work queue, and the outcome of each."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from handlers.common.chunks import chunks
from handlers.common.logs import logger
from handlers.common.metrics import emit_counts
from handlers.sentiment.messages import CompanyMessage, parse_message, validation_message
from handlers.sentiment.records import Observation
from schema.limits import SQS_MESSAGES
from schema.retry import full_jitter

# Within a quarter of an hour a text source recovers; Amazon SQS allows 12 hours.
MAX_DELAY_SECONDS = 900

_METRIC_OF_LABEL = {"NOT_FOUND": "NotFound", "AMBIGUOUS": "Ambiguous", "UNSUPPORTED": "Unsupported"}


class Failure(msgspec.Struct, frozen=True):
    """Why a message has to come back.

    Attributes
    ----------
    reason
        Text for the log.
    retry_after
        Shortest delay before the next attempt, in seconds.
    counts
        Whether it brings the message nearer to the dead-letter queue; otherwise the message only waits.
    """

    reason: str
    retry_after: float = 0
    counts: bool = True


class Batch:
    """The messages of an invocation. Of equal messages, one is handled for all.

    Parameters
    ----------
    records
        `Records` of an event of an SQS event source.
    now
        Returns the time, in seconds since 1970.

    Attributes
    ----------
    messages
        The messages, without repetition.
    """

    def __init__(self, records: list[dict[str, Any]], now: Callable[[], float] = time.time) -> None:
        self._records: dict[CompanyMessage, list[dict[str, Any]]] = {}
        self._failed: list[tuple[dict[str, Any], Failure]] = []
        self._waiting: list[tuple[CompanyMessage, Failure]] = []
        self._counts: Counter[str] = Counter(Companies=0, Analysed=0, Unchanged=0, NotFound=0, Failed=0)
        received_at = datetime.fromtimestamp(now(), UTC)
        for record in records:
            try:
                message = parse_message(record["body"], received_at)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                self._fail(record, Failure(f"message not understood: {validation_message(error)}"), {})
                continue
            self._records.setdefault(message, []).append(record)
        self.messages = list(self._records)
        self._counts["Companies"] = len(self.messages)

    def fail(self, message: CompanyMessage, failure: Failure) -> None:
        """Let a message and those that equal it come back."""
        if not failure.counts:
            self._waiting.append((message, failure))
            return
        for record in self._records[message]:
            self._fail(record, failure, {"run": message.run, "company": message.company})

    def succeed(self, observation: Observation) -> None:
        """Count an observation that was published; its messages do not come back."""
        kind = "Unchanged" if observation.unchanged else "Analysed"
        self._counts[_METRIC_OF_LABEL.get(observation.label, kind)] += 1
        logger.debug("observed", extra={"run": observation.run, "company": observation.company})

    def skip(self, message: CompanyMessage) -> None:
        """Count a message whose observation was published before; it does not come back."""
        self._counts["Repeated"] += 1
        logger.info("published before", extra={"run": message.run, "company": message.company})

    def overtake(self, message: CompanyMessage) -> None:
        """Count a message of a run that a newer one has overtaken; it does not come back."""
        self._counts["Overtaken"] += 1
        logger.info("overtaken by a newer run", extra={"run": message.run, "company": message.company})

    def report(self, comprehend_calls: int, write_units: float = 0) -> None:
        """Write the batch's metrics.

        Parameters
        ----------
        comprehend_calls
            Calls of Amazon Comprehend; one analyses several texts.
        write_units
            Write units that DynamoDB charged for; they are in the log, and no metric.
        """
        runs = sorted({message.run for message in self.messages})
        counts = {**self._counts, "ComprehendCalls": comprehend_calls}
        emit_counts("analyse", counts, runs=",".join(runs), write_units=f"{write_units:g}")

    def postpone(self, send_batch: Callable[..., Any], queue_url: str) -> None:
        """Put messages that only wait back into the queue, as new messages with a delay.

        Amazon SQS counts how often a message was received, and moves it to the dead-letter queue after so many times.
        The count of a new message starts again. The old message is deleted, as it is not among the failures. If a new
        message is refused, the old one fails and comes back itself.

        Parameters
        ----------
        send_batch
            `send_message_batch` of an SQS client.
        queue_url
            The queue they came from.
        """
        for some in chunks(self._waiting, SQS_MESSAGES):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": self._records[message][0]["body"],
                    "DelaySeconds": math.ceil(min(MAX_DELAY_SECONDS, failure.retry_after)),
                }
                for number, (message, failure) in enumerate(some)
            ]
            try:
                refused = {
                    int(entry["Id"]) for entry in send_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
                }
            except Exception as error:  # they may have been sent: then they come twice, which does no harm
                logger.warning("messages not postponed", extra={"reason": str(error)})
                refused = set(range(len(some)))
            for number, (message, failure) in enumerate(some):
                if number in refused:
                    self.fail(message, msgspec.structs.replace(failure, counts=True))
                else:
                    self._postponed(message, failure)
        self._waiting.clear()

    def delay_failures(self, change_visibility: Callable[..., Any], queue_url: str, base_seconds: int) -> None:
        """Choose when each failed message comes back: the more often it has failed, the later.

        Otherwise all of them would come back after the queue's visibility timeout, which is several times as long as an
        invocation. If SQS refuses a delay, it is only logged, because the message then comes back after that timeout.

        Parameters
        ----------
        change_visibility
            `change_message_visibility_batch` of an SQS client.
        queue_url
            The queue they came from.
        base_seconds
            Longest delay after the first failure; it doubles with each further one.
        """
        entries = [
            {
                "Id": str(number),
                "ReceiptHandle": record["receiptHandle"],
                "VisibilityTimeout": _delay(record, failure, base_seconds),
            }
            for number, (record, failure) in enumerate(self._failed)
        ]
        for some in chunks(entries, SQS_MESSAGES):
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

    def _postponed(self, message: CompanyMessage, failure: Failure) -> None:
        self._counts["Postponed"] += 1
        fields = {"run": message.run, "company": message.company, "reason": failure.reason}
        logger.info("message postponed", extra={**fields, "seconds": failure.retry_after})

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
