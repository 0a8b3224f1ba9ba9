"""WorkQueue: a queue for one consumer, with a dead-letter queue."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, child_of, tls_only
from components.blocks.observe.alarms import Metric, alarm_above

# AWS's advice for queues that Lambda reads: six times the function's time limit, and the batching window besides.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_TIMES_TIMEOUT = 6
# Amazon SQS keeps messages for at most 14 days.
DEAD_LETTER_DAYS = 14
WORK_DAYS = 4
_DAY = 86_400


class WorkQueue(pulumi.ComponentResource):
    """An encrypted queue, reached over TLS only, whose consumer is a Lambda function.

    Parameters
    ----------
    name
        The queues' names start with it.
    consumer_timeout_seconds
        The consumer's time limit; a message that was received is hidden six times as long.
    consumer_window_seconds
        How long the consumer's batches may wait to fill; a message is hidden for that time besides.
    max_receives
        How often a message is tried before it becomes a dead letter.
    max_age_seconds
        An alarm tells when the oldest message is older.
    notify
        ARNs of SNS topics that alarms are sent to.

    Attributes
    ----------
    url, arn, name
        Of the queue.
    dead_letter_url, dead_letter_arn
        Of the dead-letter queue.
    """

    def __init__(
        self,
        name: str,
        consumer_timeout_seconds: int,
        consumer_window_seconds: int = 0,
        max_receives: int = 5,
        max_age_seconds: int = 900,
        notify: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:WorkQueue", name, {}, opts)
        dead = aws.sqs.Queue(
            f"{name}-dead",
            message_retention_seconds=DEAD_LETTER_DAYS * _DAY,
            sqs_managed_sse_enabled=True,
            opts=child_of(self),
        )
        queue = aws.sqs.Queue(
            name,
            visibility_timeout_seconds=VISIBILITY_TIMES_TIMEOUT * consumer_timeout_seconds + consumer_window_seconds,
            message_retention_seconds=WORK_DAYS * _DAY,
            receive_wait_time_seconds=20,
            sqs_managed_sse_enabled=True,
            redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": max_receives}),
            opts=child_of(self),
        )
        self.url, self.arn, self.name = queue.url, queue.arn, queue.name
        self.dead_letter_url, self.dead_letter_arn = dead.url, dead.arn
        self._dead_letters_only_from(name, dead, queue)
        require_tls(self, name, queue)
        require_tls(self, f"{name}-dead", dead)
        self._watch(name, dead, max_age_seconds, notify)
        self.register_outputs({"url": self.url, "dead_letter_url": self.dead_letter_url})

    def sending(self) -> Permission:
        """Send messages."""
        return Permission(["sqs:SendMessage"], [self.arn])

    def consuming(self) -> Permission:
        """Have Lambda's event source read the queue."""
        return Permission(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], [self.arn])

    def delaying(self) -> Permission:
        """Choose when a message that was received comes back."""
        return Permission(["sqs:ChangeMessageVisibility"], [self.arn])

    def _dead_letters_only_from(self, name: str, dead: aws.sqs.Queue, queue: aws.sqs.Queue) -> None:
        aws.sqs.RedriveAllowPolicy(
            f"{name}-dead",
            queue_url=dead.url,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
            ),
            opts=child_of(self),
        )

    def _watch(self, name: str, dead: aws.sqs.Queue, max_age_seconds: int, notify: Sequence[pulumi.Input[str]]) -> None:
        alarm_above(
            self,
            f"{name}-dead-letters",
            "Work could not be done in any attempt. Read the reasons in the consumer's log, mend them, "
            "then `nlp dead-letters redrive`.",
            Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": dead.name}, "Maximum"),
            0,
            notify,
        )
        alarm_above(
            self,
            f"{name}-age",
            f"The oldest message has waited for over {max_age_seconds} seconds: the consumer fails or is too slow.",
            Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": self.name}, "Maximum"),
            max_age_seconds,
            notify,
        )


def require_tls(parent: pulumi.Resource, name: str, queue: aws.sqs.Queue) -> None:
    """Have a queue refuse requests without TLS."""
    # A refusal: of whatever it is that comes without TLS.
    policy = {"Version": "2012-10-17", "Statement": [tls_only("sqs:*", [queue.arn])]}
    aws.sqs.QueuePolicy(name, queue_url=queue.url, policy=pulumi.Output.json_dumps(policy), opts=child_of(parent))
