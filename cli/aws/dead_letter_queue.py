"""The dead-letter queue: look at its messages, and move them back to the work queue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from cli.aws.batches import parts
from cli.aws.deployment import Deployment
from cli.ui.json_input import decode_json
from schema.limits import SQS_MESSAGES

# Seconds for which messages are hidden during a look; after them, messages return even if this program was killed.
PEEK_VISIBILITY_S = 60
# Longer: messages that stay must not be received again before the end of the queue is reached.
REDRIVE_VISIBILITY_S = 300
# Seconds of long polling, in which SQS asks all its servers; without it, an answer can be empty although there are
# messages. The embedded AWS has one server.
WAIT_S = 1
WAIT_LOCAL_S = 0

Message = dict[str, Any]


class DeadLetter(msgspec.Struct):
    """A message that failed too often.

    Attributes
    ----------
    company, run : str or None
        What the message is about; None when its body is not that of a work message.
    receives : int
        How often it was received, this time included.
    sent_at : str
        When it was sent, ISO 8601 in UTC.
    body : str
        The message as it is.
    """

    company: str | None
    run: str | None
    receives: int
    sent_at: str
    body: str


class Moved(msgspec.Struct):
    """What a redrive did, in numbers of messages.

    Attributes
    ----------
    moved : int
        Taken by the work queue.
    refused : int
        Not taken by the work queue; still in the dead-letter queue.
    left : int
        Not chosen; still in the dead-letter queue.
    """

    moved: int = 0
    refused: int = 0
    left: int = 0


class DeadLetterQueue:
    """The dead-letter queue of a deployment."""

    def __init__(self, deployment: Deployment):
        self._sqs = deployment.client("sqs")
        self._queue = deployment.output("dead_letter_queue_url")
        self._work_queue = deployment.output("work_queue_url")
        self._wait = WAIT_LOCAL_S if deployment.is_local else WAIT_S

    def size(self) -> int:
        """Return the number of messages, hidden ones included; approximate on AWS."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    def peek(self, limit: int) -> list[DeadLetter]:
        """Look at messages without taking them: they are visible again at the end, whatever happens.

        Parameters
        ----------
        limit : int
            The largest number of messages.
        """
        held: dict[str, Message] = {}
        try:
            while len(held) < limit:
                messages = self._receive(min(SQS_MESSAGES, limit - len(held)), PEEK_VISIBILITY_S)
                if messages.keys() <= held.keys():
                    break
                held |= messages
        finally:
            self._give_back(held.values())
        return [_dead_letter(message) for message in held.values()]

    def redrive(self, companies: Collection[str], finished: Callable[[int], None]) -> Moved:
        """Move messages to the work queue until none is left.

        SQS's own redrive (StartMessageMoveTask) is not used: it cannot choose messages by company or count those that
        were refused, and the embedded AWS does not have it.

        A message is deleted only after the work queue has taken it: when this is interrupted, a message
        may be in both queues, but is never lost.

        Parameters
        ----------
        companies : collection of str
            Only messages about these; all when empty.
        finished : callable
            Called with the number of messages just moved.
        """
        result = Moved()
        seen: set[str] = set()
        held: dict[str, Message] = {}
        try:
            while True:
                messages = self._receive(SQS_MESSAGES, REDRIVE_VISIBILITY_S)
                # A message that comes again brings a new receipt handle, the only one that still counts.
                held |= messages
                fresh = [message for key, message in messages.items() if key not in seen]
                if not fresh:
                    return result
                seen |= messages.keys()
                chosen = [message for message in fresh if not companies or _dead_letter(message).company in companies]
                taken = self._send(chosen)
                self._delete(taken)
                for message in taken:
                    del held[message["MessageId"]]
                result.moved += len(taken)
                result.refused += len(chosen) - len(taken)
                result.left += len(fresh) - len(chosen)
                finished(len(taken))
        finally:
            self._give_back(held.values())

    def _receive(self, count: int, visibility: int) -> dict[str, Message]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=count,
            VisibilityTimeout=visibility,
            WaitTimeSeconds=self._wait,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return {message["MessageId"]: message for message in answer.get("Messages", [])}

    def _send(self, messages: list[Message]) -> list[Message]:
        """Send up to ten messages to the work queue and return those that it has taken."""
        if not messages:
            return []
        entries = []
        for number, message in enumerate(messages):
            entry = {"Id": str(number), "MessageBody": message["Body"]}
            if message.get("MessageAttributes"):
                entry["MessageAttributes"] = message["MessageAttributes"]
            entries.append(entry)
        answer = self._sqs.send_message_batch(QueueUrl=self._work_queue, Entries=entries)
        return [messages[int(entry["Id"])] for entry in answer.get("Successful", [])]

    def _delete(self, messages: list[Message]) -> None:
        if messages:
            self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=_handles(messages))

    def _give_back(self, messages: Iterable[Message]) -> None:
        for part in parts(list(messages), SQS_MESSAGES):
            entries = [{**entry, "VisibilityTimeout": 0} for entry in _handles(part)]
            self._sqs.change_message_visibility_batch(QueueUrl=self._queue, Entries=entries)


def _handles(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)]


def _dead_letter(message: Message) -> DeadLetter:
    attributes = message.get("Attributes", {})
    sent = datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC)
    try:
        work = decode_json(message["Body"])
    except msgspec.DecodeError:
        work = None
    if not isinstance(work, dict):
        work = {}
    return DeadLetter(
        company=_text(work.get("company")),
        run=_text(work.get("run")),
        receives=int(attributes.get("ApproximateReceiveCount", 0)),
        sent_at=f"{sent:%Y-%m-%dT%H:%M:%SZ}",
        body=message["Body"],
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
