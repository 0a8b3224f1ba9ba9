"""Notifications: e-mails about alarms."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, account_of, child_of, tls_only


class Notifications(pulumi.ComponentResource):
    """An encrypted SNS topic that alarms publish to and people subscribe to by e-mail.

    It has a key of its own, since CloudWatch may not use the one that SNS brings along. Each address is first asked
    whether it agrees.

    Parameters
    ----------
    name
        The topic's name starts with it.
    emails
        Who is told.

    Attributes
    ----------
    arn
        Of the topic.
    """

    def __init__(self, name: str, emails: Sequence[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloud-nlp:blocks:Notifications", name, {}, opts)
        key = self._key(name)
        topic = aws.sns.Topic(name, kms_master_key_id=key.key_id, opts=child_of(self))
        self.arn = topic.arn
        self._key_arn = key.arn
        self._let_alarms_publish(name, topic)
        for email in dict.fromkeys(emails):
            aws.sns.TopicSubscription(
                f"{name}-{email}", topic=topic.arn, protocol="email", endpoint=email, opts=child_of(self)
            )
        self.register_outputs({"arn": self.arn})

    def publishing(self) -> list[Permission]:
        """Publish messages, which takes the topic's key."""
        return [
            Permission(["sns:Publish"], [self.arn]),
            Permission(["kms:Decrypt", "kms:GenerateDataKey"], [self._key_arn]),
        ]

    def _key(self, name: str) -> aws.kms.Key:
        key = aws.kms.Key(name, description="Notifications of alarms", enable_key_rotation=True, opts=child_of(self))
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
                    },
                ],
            }
        )
        aws.kms.KeyPolicy(name, key_id=key.key_id, policy=policy, opts=child_of(self))
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
                    tls_only("sns:Publish", [topic.arn]),
                ],
            }
        )
        aws.sns.TopicPolicy(name, arn=topic.arn, policy=policy, opts=child_of(self))
