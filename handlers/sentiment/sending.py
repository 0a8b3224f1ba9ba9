"""Sending work to the queue, ten messages a request, none lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from handlers.common.backoff import full_jitter
from handlers.common.logs import logger
from handlers.sentiment.work import Work, chunks, encode_work

# Amazon SQS: at most 10 messages a batch.
BATCH_SIZE = 10
MAX_ATTEMPTS = 6


class SendingError(Exception):
    """Some messages were refused again and again; the run has to be dispatched again."""


def send_all(send_batch: Callable[..., Any], queue_url: str, works: list[Work], threads: Executor) -> None:
    """Send messages in concurrent batches.

    Parameters
    ----------
    send_batch
        `send_message_batch` of an SQS client.
    queue_url
        The queue to send to.
    works
        What to send.
    threads
        What runs the requests.

    Raises
    ------
    SendingError
        A message was refused in every attempt.
    """
    sending = [threads.submit(send_one_batch, send_batch, queue_url, batch) for batch in chunks(works, BATCH_SIZE)]
    errors = [error for future in sending if (error := future.exception())]
    if errors:  # only now, when everything else has been sent
        raise errors[0]


def send_one_batch(
    send_batch: Callable[..., Any],
    queue_url: str,
    works: list[Work],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send up to ten messages, and those that were refused again."""
    entries = [{"Id": str(number), "MessageBody": encode_work(work)} for number, work in enumerate(works)]
    failed: dict[str, Any] = {}
    for attempt in range(1, MAX_ATTEMPTS + 1):
        failed = {entry["Id"]: entry for entry in send_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])}
        if not failed:
            return
        logger.warning("messages refused", extra={"attempt": attempt, "codes": [f["Code"] for f in failed.values()]})
        entries = [entry for entry in entries if entry["Id"] in failed]
        if attempt < MAX_ATTEMPTS:
            sleep(full_jitter(attempt, base=0.2, cap=5))
    raise SendingError(f"{len(entries)} messages were refused {MAX_ATTEMPTS} times: {sorted(failed)}")
