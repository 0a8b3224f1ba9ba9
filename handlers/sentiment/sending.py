"""Sending messages to the work queue in batches, without losing any."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from handlers.common.chunks import chunks
from handlers.common.logs import logger
from handlers.sentiment.messages import CompanyMessage, encode_message
from schema.limits import SQS_MESSAGES
from schema.retry import Backoff, attempts

BACKOFF = Backoff(attempts=6, first_seconds=0.2, longest_seconds=5)


class SendingError(Exception):
    """SQS refused messages in every attempt; the run has to be dispatched again."""


def send_all(send_batch: Callable[..., Any], queue_url: str, messages: list[CompanyMessage], threads: Executor) -> None:
    """Send messages in concurrent batches.

    Parameters
    ----------
    send_batch
        `send_message_batch` of an SQS client.
    queue_url
        The queue to send to.
    messages
        Messages to send.
    threads
        Threads for the requests.

    Raises
    ------
    SendingError
        A message was refused in every attempt.
    """
    sending = [threads.submit(send_one_batch, send_batch, queue_url, batch) for batch in chunks(messages, SQS_MESSAGES)]
    errors = [error for future in sending if (error := future.exception())]
    if errors:  # only now, when everything else has been sent
        raise errors[0]


def send_one_batch(
    send_batch: Callable[..., Any],
    queue_url: str,
    messages: list[CompanyMessage],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send up to ten messages; those that SQS refuses are sent again."""
    entries = [{"Id": str(number), "MessageBody": encode_message(message)} for number, message in enumerate(messages)]
    failed: dict[str, Any] = {}
    for attempt in attempts(BACKOFF, sleep):
        failed = {entry["Id"]: entry for entry in send_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])}
        if not failed:
            return
        codes = [entry["Code"] for entry in failed.values()]
        logger.warning("messages refused", extra={"attempt": attempt.number, "codes": codes})
        entries = [entry for entry in entries if entry["Id"] in failed]
    raise SendingError(f"{len(entries)} messages were refused {BACKOFF.attempts} times: {sorted(failed)}")
