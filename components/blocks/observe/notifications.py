"""Notifications: e-mails about alarms and failed jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import pulumi
import pulumi_aws as aws

from components.blocks.access.arns import account_of
from components.blocks.access.grants import Grant, check_actions
from components.blocks.access.permissions import Permission
from components.blocks.access.tls import tls_only
from components.blocks.resources import child

TopicAction = Literal["Publish"]


class Notifications(pulumi.ComponentResource):
    """An encrypted SNS topic that alarms publish to and people subscribe to by e-mail.

    The topic has its own key, since CloudWatch may not use SNS's default key. SNS sends each address a message to
    confirm the subscription.

    Parameters
    ----------
    name
        Logical name; the topic's physical name starts with it.
    emails
        E-mail addresses of the subscribers.

    Attributes
    ----------
    arn
        ARN of the topic.
    """

    def __init__(self, name: str, *, emails: Sequence[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloud-nlp:blocks:Notifications", name, {}, opts)
        key = self._key(name)
        topic = aws.sns.Topic(name, kms_master_key_id=key.key_id, opts=child(self))
        self.arn = topic.arn
        self._key_arn = key.arn
        self._let_alarms_publish(name, topic)
        for email in dict.fromkeys(emails):
            aws.sns.TopicSubscription(
                f"{name}-{email}", topic=topic.arn, protocol="email", endpoint=email, opts=child(self)
            )
        self.register_outputs({"arn": self.arn})

    def grant(self, *actions: TopicAction) -> Grant:
        """Allow to publish, which takes permissions on the topic's key, too; the grant's value is the topic's ARN.

        Parameters
        ----------
        actions
            Names of SNS's actions.

        Raises
        ------
        ValueError
            No or unknown actions.
        """
        check_actions(f"Topic {self.pulumi_resource_name}", actions, get_args(TopicAction))
        on_topic = Permission([f"sns:{action}" for action in actions], [self.arn])
        on_key = Permission(["kms:Decrypt", "kms:GenerateDataKey"], [self._key_arn])
        return Grant((on_topic, on_key), self.arn)

    def _key(self, name: str) -> aws.kms.Key:
        key = aws.kms.Key(name, description="Notifications of alarms", enable_key_rotation=True, opts=child(self))
        account = account_of(key.arn)
        policy = pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AccountAdministers",
                        "Effect": "Allow",
                        "Principal": {"AWS": pulumi.Output.concat("arn:aws:iam::", account, ":root")},
                        "Action": "kms:*",  # AWS's default: without it, a mistake here would lock everybody out
                        "Resource": "*",  # in a key's policy this is the key itself
                    },
                    {
                        "Sid": "AlarmsEncrypt",
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudwatch.amazonaws.com"},
                        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                        "Resource": "*",  # in a key's policy this is the key itself
                        # CloudWatch sends the key: https://aws.github.io/modern-data-architecture-accelerator/
                        # typedocs/functions/_aws-mdaa_cloudwatch-constructs.grantCloudWatchAlarmsTopicAccess.html
                        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
                    },
                ],
            }
        )
        aws.kms.KeyPolicy(name, key_id=key.key_id, policy=policy, opts=child(self))
        return key

    def _let_alarms_publish(self, name: str, topic: aws.sns.Topic) -> None:
        policy = pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AlarmsPublish",
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudwatch.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": topic.arn,
                        "Condition": {"StringEquals": {"aws:SourceAccount": account_of(topic.arn)}},
                    },
                    tls_only(actions="sns:Publish", resources=[topic.arn]),
                ],
            }
        )
        aws.sns.TopicPolicy(name, arn=topic.arn, policy=policy, opts=child(self))
