"""Role: an IAM role that one AWS service assumes, with one inline policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, policy_document

# Services that send `aws:SourceAccount` when they assume a role. The condition would lock out all others.
# Lambda: https://github.com/aws/agent-toolkit-for-aws, file lambda-trust-policy.json
# SageMaker: https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
# Step Functions: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
# EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
Service = Literal["events.amazonaws.com", "lambda.amazonaws.com", "sagemaker.amazonaws.com", "states.amazonaws.com"]


class Role:
    """A role that a service assumes for this account alone, and its policy.

    The condition on `aws:SourceAccount` keeps the service from assuming the role on behalf of another account.
    It adds no level to the resource tree: role and policy are children of `opts.parent`.

    Parameters
    ----------
    name
        Logical name of role and policy; the role's physical name starts with it.
    service
        Principal of the service.
    account
        Number of the account; `account_of` extracts it from an ARN.
    permissions
        The policy's statements.
    opts
        Options of role and policy.

    Attributes
    ----------
    name, arn
        Name and ARN of the role.
    policy
        The role's policy. Resources that act under the role have to wait for it: `depends_on=[role.policy]`.
    """

    def __init__(
        self,
        name: str,
        *,
        service: Service,
        account: pulumi.Input[str],
        permissions: Sequence[Permission],
        opts: pulumi.ResourceOptions,
    ) -> None:
        role = aws.iam.Role(name, assume_role_policy=_trust_policy(service, account), opts=opts)
        self.name, self.arn = role.name, role.arn
        self.policy = self.add_policy(name, permissions=permissions, opts=opts)

    def add_policy(
        self, name: str, *, permissions: Sequence[Permission], opts: pulumi.ResourceOptions
    ) -> aws.iam.RolePolicy:
        """Give the role a further policy, for permissions on resources that are created after the role.

        Parameters
        ----------
        name
            Logical name of the policy.
        permissions
            The policy's statements.
        opts
            Options of the policy.
        """
        return aws.iam.RolePolicy(name, role=self.name, policy=policy_document(permissions), opts=opts)


def _trust_policy(service: Service, account: pulumi.Input[str]) -> pulumi.Output[str]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})
