"""Permissions: what a role may do, declared where the role is made.

Resources make permissions (`queue.sending()`, `table.scanning()`); a function takes them as `allow`. Actions and
resources are exact. A permission on `*` has to say why AWS offers nothing narrower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi


@dataclass(frozen=True)
class Permission:
    """Some actions on some resources.

    Attributes
    ----------
    actions
        Such as `sqs:SendMessage`; no wildcards.
    resources
        ARNs.
    condition
        IAM's condition block, where the resource alone is too wide.
    why_any_resource
        The reason for a resource `*`, which is refused without one.
    """

    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]
    condition: Mapping[str, Mapping[str, pulumi.Input[Any]]] = field(default_factory=dict)
    why_any_resource: str = ""

    def __post_init__(self) -> None:
        if not self.actions or not self.resources:
            raise ValueError("Permission: name at least one action and one resource")
        wild = [action for action in self.actions if "*" in action or "?" in action]
        if wild:
            raise ValueError(f"Permission on {', '.join(wild)}: name each action")
        if "*" in [resource for resource in self.resources if isinstance(resource, str)] and not self.why_any_resource:
            raise ValueError(f"Permission for {', '.join(self.actions)} on '*': say why in why_any_resource")


def policy_document(permissions: Sequence[Permission]) -> pulumi.Output[str]:
    """Make the JSON of an IAM policy.

    Parameters
    ----------
    permissions
        What it allows; a statement each.
    """
    statements = []
    for permission in permissions:
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": sorted(permission.actions),
            "Resource": list(permission.resources),
        }
        if permission.condition:
            statement["Condition"] = permission.condition
        statements.append(statement)
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})


def assumed_by(service: str) -> pulumi.Output[str]:
    """Make the JSON of a trust policy: this service may take the role on."""
    return pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    )


def tls_only(actions: str, resources: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """Make the statement of a resource policy that refuses requests without TLS.

    Parameters
    ----------
    actions
        All of the service's, such as `s3:*`: a refusal, unlike a grant, is to be as wide as it can.
    resources
        ARNs of what is protected.
    """
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def account_of(arn: pulumi.Output[str]) -> pulumi.Output[str]:
    """Read the account's number out of an ARN, which needs no call to AWS."""
    return arn.apply(lambda value: value.split(":")[4])


def region_of(arn: pulumi.Output[str]) -> pulumi.Output[str]:
    """Read the region out of an ARN, which needs no call to AWS."""
    return arn.apply(lambda value: value.split(":")[3])


def child_of(parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
    """Options of a component's child."""
    return pulumi.ResourceOptions(parent=parent, **options)
