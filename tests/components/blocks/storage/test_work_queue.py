"""WorkQueue: a queue for a Lambda consumer and its dead-letter queue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.blocks.access.permissions import policy_document
from components.blocks.storage.work_queue import WorkQueue
from tests.support.pulumi_mocks import SUFFIX, Evaluation, arn_of, evaluate, url_of

COMPONENT = "cloud-nlp:blocks:WorkQueue"
QUEUE = "aws:sqs/queue:Queue"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DAY = 86_400


def declare(**arguments: Any) -> Evaluation:
    return evaluate(lambda: WorkQueue("work", consumer_timeout_seconds=30, **arguments) and None)


def test_two_queues_and_what_guards_them_belong_to_the_component() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {
        QUEUE: 2,
        "aws:sqs/queuePolicy:QueuePolicy": 2,
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": 1,
        ALARM: 2,
    }
    assert len(evaluation.resources) == 8


@pytest.mark.parametrize("timeout", [5, 30, 900])
def test_received_messages_are_hidden_six_times_the_consumers_timeout(timeout: int) -> None:
    queue = evaluate(
        lambda: WorkQueue("work", consumer_timeout_seconds=timeout, consumer_window_seconds=20) and None
    ).one(QUEUE, "work")
    assert queue.inputs["visibilityTimeoutSeconds"] == 6 * timeout + 20  # the batching window


def test_queues_are_encrypted_and_keep_messages_long_enough() -> None:
    evaluation = declare()
    queue, dead = evaluation.one(QUEUE, "work").inputs, evaluation.one(QUEUE, "work-dead").inputs
    assert queue.keys() == {
        "visibilityTimeoutSeconds",
        "messageRetentionSeconds",
        "receiveWaitTimeSeconds",
        "sqsManagedSseEnabled",
        "redrivePolicy",
    }
    assert (queue["messageRetentionSeconds"], queue["receiveWaitTimeSeconds"]) == (4 * DAY, 20)
    assert queue["sqsManagedSseEnabled"] is True
    # A message keeps its age when it becomes a dead letter, so the dead-letter queue has to keep it for longer.
    assert dead == {"messageRetentionSeconds": 14 * DAY, "sqsManagedSseEnabled": True}


def test_messages_become_dead_letters_after_their_last_receive() -> None:
    evaluation = declare(max_receives=7)
    redrive = evaluation.document(QUEUE, "work", "redrivePolicy")
    assert redrive == {"deadLetterTargetArn": arn_of(QUEUE, "work-dead"), "maxReceiveCount": 7}


def test_only_this_queue_may_send_dead_letters() -> None:
    evaluation = declare()
    allow = evaluation.one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    assert allow.inputs["queueUrl"] == url_of("work-dead")
    assert json.loads(allow.inputs["redriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [arn_of(QUEUE, "work")],
    }


@pytest.mark.parametrize("name", ["work", "work-dead"])
def test_requests_without_tls_are_refused(name: str) -> None:
    evaluation = declare()
    assert evaluation.one("aws:sqs/queuePolicy:QueuePolicy", name).inputs["queueUrl"] == url_of(name)
    assert evaluation.document("aws:sqs/queuePolicy:QueuePolicy", name) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": [arn_of(QUEUE, name)],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "metric", "queue", "threshold"),
    [
        ("dev-work-dead-letters", "ApproximateNumberOfMessagesVisible", "work-dead", 0),
        ("dev-work-age", "ApproximateAgeOfOldestMessage", "work", 600),
    ],
)
def test_alarms_watch_dead_letters_and_age(name: str, metric: str, queue: str, threshold: int) -> None:
    alarm = declare(max_age_seconds=600, alarm_topics=["arn:topic"]).one(ALARM, name).inputs
    assert (alarm["namespace"], alarm["metricName"], alarm["statistic"]) == ("AWS/SQS", metric, "Maximum")
    assert alarm["dimensions"] == {"QueueName": f"{queue}{SUFFIX}"}
    assert alarm["threshold"] == threshold
    assert alarm["alarmActions"] == ["arn:topic"]


def test_grants_are_on_the_queue_and_not_on_dead_letters() -> None:
    def build() -> list[Any]:
        grant = WorkQueue("work", consumer_timeout_seconds=30).grant("SendMessage", "ReceiveMessage")
        return [policy_document(grant.permissions), grant.value]

    document, value = evaluate(build).result
    assert value == url_of("work")
    assert json.loads(document)["Statement"] == [
        {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"], "Resource": [arn_of(QUEUE, "work")]}
    ]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([], "Queue work: name at least one action to grant"),
        (["SendMessage", "PurgeQueue"], "Queue work does not grant PurgeQueue; it grants ChangeMessageVisibility, "),
    ],
)
def test_unknown_actions_are_refused(actions: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(lambda: WorkQueue("work", consumer_timeout_seconds=30).grant(*actions) and None)


def test_attributes_are_the_queues() -> None:
    def build() -> list[Any]:
        queue = WorkQueue("work", consumer_timeout_seconds=30)
        return [queue.url, queue.arn, queue.name, queue.dead_letter_url, queue.dead_letter_arn]

    assert evaluate(build).result == [
        url_of("work"),
        arn_of(QUEUE, "work"),
        f"work{SUFFIX}",
        url_of("work-dead"),
        arn_of(QUEUE, "work-dead"),
    ]
