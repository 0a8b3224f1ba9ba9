"""Full SQS batches for Lambda event source mappings in ministack.

Ministack passes at most ten messages to a function and has no batching window. AWS fills a batch up to the mapping's
``BatchSize`` (up to 10,000 for a standard queue) and waits up to ``MaximumBatchingWindowInSeconds`` for that. This
module replaces the two functions with which ministack's poller receives and deletes messages. The poller itself stays:
it limits concurrency (``ScalingConfig``, reserved concurrency), retries, filters and reads partial batch responses.

Dead-letter moves happen when the poller looks at the queue, as on AWS on the next receive. It looks at least once a
second while the mapping is enabled, so a message moves within a second of its last visibility timeout.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from local.aws.emulator import replace, require

Message = dict[str, Any]
Queue = dict[str, Any]

# The poller looks at every queue once a second anyway (`lambda_svc._poll_loop`), so only a nearer end needs a timer.
_POLL_INTERVAL_S = 1.0


def install() -> None:
    """Replace ministack's functions that take and delete messages for event source mappings."""
    from ministack.services import lambda_svc, sqs

    require(lambda_svc, "_esms")
    require(sqs, "_queues_lock", "_get_q(url, action)", "_expire_retained(q)", "_dlq_sweep(q)", "_ensure_msg_fields(m)")
    replace(sqs, "_receive_messages_for_esm(queue_url, max_number)", lambda fifo: BatchReceiver(fifo).receive)
    replace(sqs, "_delete_messages_for_esm(queue_url, receipt_handles)", lambda _: delete_messages)


class BatchReceiver:
    """Receives messages from a queue in the batches that AWS would make.

    Parameters
    ----------
    receive_fifo
        Ministack's own function, kept for FIFO queues: AWS limits their batches to ten messages, without a window.
    """

    def __init__(self, receive_fifo: Any) -> None:
        self._receive_fifo = receive_fifo
        self._wake_at = float("inf")

    def receive(self, queue_url: str, batch_size: int) -> list[Message]:
        """Return the next batch, empty while its window is open. Called by ministack's poller thread only.

        Parameters
        ----------
        queue_url
            Address of the queue within the poller's current account and region.
        batch_size
            ``BatchSize`` of the mapping that asks.
        """
        from ministack.services import sqs

        queue: Queue = sqs._get_q(queue_url)
        if queue["is_fifo"]:
            return self._receive_fifo(queue_url, batch_size)
        attributes = queue["attributes"]
        window = batching_window(attributes["QueueArn"], batch_size)
        with sqs._queues_lock:
            sqs._expire_retained(queue)
            _move_exhausted(queue)
            now = time.time()
            batch, due = next_batch(queue["messages"], batch_size, window, now)
            for message in batch:
                _mark_received(message, now, int(attributes.get("VisibilityTimeout", "30")))
        if due is not None:
            self._wake_poller_at(due)
        return batch

    def _wake_poller_at(self, due: float) -> None:
        from ministack.core.concurrency import esm_wake

        now = time.time()
        pending = now < self._wake_at <= due
        if pending or due - now > _POLL_INTERVAL_S:
            return
        self._wake_at = due
        timer = threading.Timer(max(due - now, 0.0), esm_wake.set)
        timer.daemon = True
        timer.start()


def next_batch(
    messages: list[Message], batch_size: int, window: float, now: float
) -> tuple[list[Message], float | None]:
    """Choose the messages of the next batch.

    Parameters
    ----------
    messages
        All messages of the queue, oldest first; ``visible_at`` is the time at which one can be received.
    batch_size
        Number of messages that make a batch full.
    window
        Seconds that the oldest visible message may wait for a full batch.
    now
        Current time in seconds since the epoch.

    Returns
    -------
    tuple
        The batch, and None; or no messages and the time at which the window ends (None when nothing is visible).
    """
    visible: list[Message] = []
    for message in messages:
        if message.get("visible_at", 0.0) <= now:
            visible.append(message)
            if len(visible) >= batch_size:
                return visible, None
    if not visible:
        return [], None
    due = min(message.get("visible_at", 0.0) for message in visible) + window
    return (visible, None) if due <= now else ([], due)


def batching_window(queue_arn: str, batch_size: int) -> float:
    """Return the window in seconds of the enabled mapping of a queue that has this batch size, 0 when it has none.

    The poller passes the batch size but not the mapping; two mappings of one queue with the same size share the longer
    window.
    """
    from ministack.services import lambda_svc

    windows = (
        mapping.get("MaximumBatchingWindowInSeconds") or 0
        for mapping in list(lambda_svc._esms.values())
        if mapping.get("EventSourceArn") == queue_arn
        and mapping.get("BatchSize", 10) == batch_size
        and mapping.get("Enabled", True)
    )
    return float(max(windows, default=0))


def delete_messages(queue_url: str, receipt_handles: set[str]) -> None:
    """Delete received messages by their receipt handles; handles that are no longer valid are ignored.

    Messages are removed one by one: ministack's own function swaps the whole list, and a message that another thread
    sends in that moment is lost.
    """
    from ministack.services import sqs

    with sqs._queues_lock:
        messages: list[Message] = sqs._get_q(queue_url)["messages"]
        for message in [message for message in messages if message.get("receipt_handle") in receipt_handles]:
            messages.remove(message)


def _move_exhausted(queue: Queue) -> None:
    """Move visible messages that were received too often to the dead-letter queue.

    Ministack's sweep swaps the whole list (see `delete_messages`), so it runs only when there is something to move.
    """
    from ministack.services import sqs

    policy = queue["attributes"].get("RedrivePolicy")
    if not policy:
        return
    limit = int(json.loads(policy).get("maxReceiveCount", 0))
    now = time.time()
    if limit and any(m.get("receive_count", 0) >= limit and m["visible_at"] <= now for m in queue["messages"]):
        sqs._dlq_sweep(queue)


def _mark_received(message: Message, now: float, visibility_timeout: int) -> None:
    from ministack.core.responses import new_uuid
    from ministack.services import sqs

    sqs._ensure_msg_fields(message)
    message["receipt_handle"] = new_uuid()
    message["visible_at"] = now + visibility_timeout
    message["receive_count"] += 1
    if message["first_receive_at"] is None:
        message["first_receive_at"] = now
