"""WorkQueue: a queue for one consumer, with a dead-letter queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import pulumi
import pulumi_aws as aws

from components.blocks.access.grants import Grant, check_actions
from components.blocks.access.permissions import Permission
from components.blocks.access.tls import require_tls
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.resources import child

QueueAction = Literal["ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SendMessage"]
# AWS's advice for queues that Lambda reads: six times the function's time limit plus the batching window.
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
        Logical name; the queues' physical names start with it.
    consumer_timeout_seconds
        The consumer's time limit. The visibility timeout is six times as long.
    consumer_window_seconds
        The consumer's batching window, which is added to the visibility timeout.
    max_receives
        Attempts before a message becomes a dead letter.
    max_age_seconds
        Alarm threshold for the age of the oldest message, in seconds.
    alarm_topics
        ARNs of SNS topics that alarms are sent to.

    Attributes
    ----------
    url, arn, name
        URL, ARN and name of the queue.
    dead_letter_url, dead_letter_arn
        URL and ARN of the dead-letter queue.
    """

    def __init__(
        self,
        name: str,
        *,
        consumer_timeout_seconds: int,
        consumer_window_seconds: int = 0,
        max_receives: int = 5,
        max_age_seconds: int = 900,
        alarm_topics: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:WorkQueue", name, {}, opts)
        dead = aws.sqs.Queue(
            f"{name}-dead",
            message_retention_seconds=DEAD_LETTER_DAYS * _DAY,
            sqs_managed_sse_enabled=True,
            opts=child(self),
        )
        queue = aws.sqs.Queue(
            name,
            visibility_timeout_seconds=VISIBILITY_TIMES_TIMEOUT * consumer_timeout_seconds + consumer_window_seconds,
            message_retention_seconds=WORK_DAYS * _DAY,
            receive_wait_time_seconds=20,
            sqs_managed_sse_enabled=True,
            redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": max_receives}),
            opts=child(self),
        )
        self.url, self.arn, self.name = queue.url, queue.arn, queue.name
        self.dead_letter_url, self.dead_letter_arn = dead.url, dead.arn
        self._dead_letters_only_from(name, dead, queue)
        require_tls(name, queue=queue, opts=child(self))
        require_tls(f"{name}-dead", queue=dead, opts=child(self))
        self._watch(name, dead, max_age_seconds, alarm_topics)
        self.register_outputs({"url": self.url, "dead_letter_url": self.dead_letter_url})

    def grant(self, *actions: QueueAction) -> Grant:
        """Grant actions on the queue, but not on its dead-letter queue; the grant's value is the queue's URL.

        Parameters
        ----------
        actions
            Names of SQS's actions; each includes its batch form.

        Raises
        ------
        ValueError
            No or unknown actions.
        """
        check_actions(f"Queue {self.pulumi_resource_name}", actions, get_args(QueueAction))
        return Grant((Permission([f"sqs:{action}" for action in actions], [self.arn]),), self.url)

    def _dead_letters_only_from(self, name: str, dead: aws.sqs.Queue, queue: aws.sqs.Queue) -> None:
        aws.sqs.RedriveAllowPolicy(
            f"{name}-dead",
            queue_url=dead.url,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
            ),
            opts=child(self),
        )

    def _watch(
        self, name: str, dead: aws.sqs.Queue, max_age_seconds: int, alarm_topics: Sequence[pulumi.Input[str]]
    ) -> None:
        alarm_above(
            f"{name}-dead-letters",
            description="Work failed in every attempt. Read the reasons in the consumer's log, mend them, "
            "then `nlp dead-letters redrive`.",
            metric=Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": dead.name}, "Maximum"),
            threshold=0,
            alarm_topics=alarm_topics,
            opts=child(self),
        )
        alarm_above(
            f"{name}-age",
            description=f"The oldest message has waited for over {max_age_seconds} seconds: "
            "the consumer fails or is too slow.",
            metric=Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": self.name}, "Maximum"),
            threshold=max_age_seconds,
            alarm_topics=alarm_topics,
            opts=child(self),
        )
