"""Creators of SQS queues and SNS topics."""

from __future__ import annotations

from typing import Any

from local.deploy.creators.common import Context, Created, Creator, Inputs, only


def _queue(context: Context, inputs: Inputs) -> Created:
    sqs = context.client("sqs")
    attributes = only(
        inputs,
        visibilityTimeoutSeconds="VisibilityTimeout",
        messageRetentionSeconds="MessageRetentionPeriod",
        receiveWaitTimeSeconds="ReceiveMessageWaitTimeSeconds",
        sqsManagedSseEnabled="SqsManagedSseEnabled",
        redrivePolicy="RedrivePolicy",
    )
    url = sqs.create_queue(
        QueueName=context.unique, Attributes={name: _text(value) for name, value in attributes.items()}
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, {"url": url, "arn": arn, "name": context.unique}


def _queue_policy(context: Context, inputs: Inputs) -> Created:
    context.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={"Policy": inputs["policy"]})
    return inputs["queueUrl"], {}


def _redrive_allow_policy(context: Context, inputs: Inputs) -> Created:
    attributes = {"RedriveAllowPolicy": inputs["redriveAllowPolicy"]}
    context.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes=attributes)
    return inputs["queueUrl"], {}


def _topic(context: Context, inputs: Inputs) -> Created:
    arn = context.client("sns").create_topic(
        Name=context.unique, Attributes={"KmsMasterKeyId": inputs["kmsMasterKeyId"]}
    )["TopicArn"]
    return arn, {"arn": arn, "name": context.unique}


def _topic_policy(context: Context, inputs: Inputs) -> Created:
    context.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return inputs["arn"], {}


def _topic_subscription(context: Context, inputs: Inputs) -> Created:
    arn = context.client("sns").subscribe(
        TopicArn=inputs["topic"], Protocol=inputs["protocol"], Endpoint=inputs["endpoint"]
    )["SubscriptionArn"]
    return arn, {}


def _text(value: Any) -> str:
    """Write an attribute as SQS takes it: everything is a text, whole numbers without a point."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, (int, float)) else str(value)


CREATORS: dict[str, Creator] = {
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _redrive_allow_policy,
}
