"""TLS only: the statement of resource policies, and a queue's policy."""

from __future__ import annotations

import pulumi_aws as aws

from components.blocks.access.tls import require_tls, tls_only
from components.blocks.resources import child
from tests.support.pulumi_mocks import arn_of, evaluate, url_of

ARN = "arn:aws:sqs:eu-central-1:123456789012:work"
POLICY = "aws:sqs/queuePolicy:QueuePolicy"


def test_everybody_without_tls_is_denied_everything() -> None:
    assert tls_only(actions="sqs:*", resources=[ARN]) == {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": [ARN],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_a_queue_gets_the_statement_as_its_policy() -> None:
    def build() -> None:
        queue = aws.sqs.Queue("work")
        require_tls("work", queue=queue, opts=child(queue))

    evaluation = evaluate(build)
    assert evaluation.one(POLICY).inputs["queueUrl"] == url_of("work")
    statement = tls_only(actions="sqs:*", resources=[arn_of("aws:sqs/queue:Queue", "work")])
    assert evaluation.document(POLICY) == {"Version": "2012-10-17", "Statement": [statement]}
