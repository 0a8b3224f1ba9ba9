"""TLS only: statements of resource policies that deny every request without TLS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws


def tls_only(*, actions: str, resources: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """Make the statement that denies every request without TLS.

    Parameters
    ----------
    actions
        All actions of the service, such as `s3:*`: unlike a grant, a denial should cover everything.
    resources
        ARNs.
    """
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def require_tls(name: str, *, queue: aws.sqs.Queue, opts: pulumi.ResourceOptions) -> aws.sqs.QueuePolicy:
    """Give a queue the policy that denies every request without TLS.

    Parameters
    ----------
    name
        Logical name of the policy.
    queue
        The queue, which has no other policy.
    opts
        Options of the policy.
    """
    # A denial of every action: nothing is granted by it.
    policy = {"Version": "2012-10-17", "Statement": [tls_only(actions="sqs:*", resources=[queue.arn])]}
    return aws.sqs.QueuePolicy(name, queue_url=queue.url, policy=pulumi.Output.json_dumps(policy), opts=opts)
