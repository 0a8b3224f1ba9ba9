"""Notifications: an encrypted topic, a key of its own, subscriptions by e-mail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.blocks.access.grants import Grant
from components.blocks.access.permissions import policy_document
from components.blocks.observe.notifications import Notifications
from tests.support.pulumi_mocks import ACCOUNT, KEY_ID, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:blocks:Notifications"
TOPIC = "aws:sns/topic:Topic"


@pytest.fixture
def evaluation() -> Evaluation:
    return evaluate(lambda: Notifications("alarms", emails=["a@example.com", "b@example.com"]).arn)


def test_topic_key_and_a_subscription_for_each_address_belong_to_the_component(evaluation: Evaluation) -> None:
    assert evaluation.children(COMPONENT) == {
        "aws:kms/key:Key": 1,
        "aws:kms/keyPolicy:KeyPolicy": 1,
        TOPIC: 1,
        "aws:sns/topicPolicy:TopicPolicy": 1,
        "aws:sns/topicSubscription:TopicSubscription": 2,
    }
    assert len(evaluation.resources) == 7


def test_arn_is_the_topics(evaluation: Evaluation) -> None:
    assert evaluation.result == arn_of(TOPIC, "alarms")


def test_topic_is_encrypted_with_a_key_that_rotates(evaluation: Evaluation) -> None:
    assert evaluation.one(TOPIC).inputs == {"kmsMasterKeyId": KEY_ID}
    assert evaluation.one("aws:kms/key:Key").inputs["enableKeyRotation"] is True


def test_each_address_is_subscribed(evaluation: Evaluation) -> None:
    subscriptions = [one.inputs for one in evaluation.of("aws:sns/topicSubscription:TopicSubscription")]
    assert subscriptions == [
        {"topic": arn_of(TOPIC, "alarms"), "protocol": "email", "endpoint": email}
        for email in ("a@example.com", "b@example.com")
    ]


def test_key_is_the_accounts_and_only_its_alarms_may_encrypt(evaluation: Evaluation) -> None:
    assert evaluation.one("aws:kms/keyPolicy:KeyPolicy").inputs["keyId"] == KEY_ID
    assert statements(evaluation, "aws:kms/keyPolicy:KeyPolicy") == [
        {
            "Sid": "AccountAdministers",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "AlarmsEncrypt",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        },
    ]


def test_only_alarms_of_the_account_publish_and_only_over_tls(evaluation: Evaluation) -> None:
    topic = arn_of(TOPIC, "alarms")
    assert evaluation.one("aws:sns/topicPolicy:TopicPolicy").inputs["arn"] == topic
    assert statements(evaluation, "aws:sns/topicPolicy:TopicPolicy") == [
        {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        },
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": [topic],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]


def test_publishing_takes_the_topic_and_its_key() -> None:
    document = evaluate(lambda: policy_document(publish().permissions)).result
    assert json.loads(document)["Statement"] == [
        {"Effect": "Allow", "Action": ["sns:Publish"], "Resource": [arn_of(TOPIC, "alarms")]},
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": [arn_of("aws:kms/key:Key", "alarms")],
        },
    ]


def publish() -> Grant:
    return Notifications("alarms", emails=["you@example.com"]).grant("Publish")


def test_a_grant_names_the_topic() -> None:
    assert evaluate(lambda: publish().value).result == arn_of(TOPIC, "alarms")


def test_unknown_actions_are_refused() -> None:
    with pytest.raises(ValueError, match="Topic alarms does not grant Subscribe; it grants Publish"):
        evaluate(lambda: Notifications("alarms", emails=[]).grant("Subscribe") and None)  # type: ignore[arg-type]


def statements(evaluation: Evaluation, kind: str) -> list[dict[str, Any]]:
    return evaluation.document(kind)["Statement"]
