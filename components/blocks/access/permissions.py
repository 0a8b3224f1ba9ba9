"""Permissions: what a role may do, declared where the role is made.

Resources make them as part of grants (`grants.py`). Permissions on services without resources are declared directly.
Actions and resources are exact. A permission on `*` has to say why AWS offers nothing narrower.
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


DETECT_SENTIMENT = Permission(
    ["comprehend:BatchDetectSentiment"],
    ["*"],
    why_any_resource="Amazon Comprehend's synchronous calls have no resource to name",
)


def policy_document(permissions: Sequence[Permission]) -> pulumi.Output[str]:
    """Make the JSON of an IAM policy.

    Parameters
    ----------
    permissions
        Permissions, of which each becomes a statement.
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
