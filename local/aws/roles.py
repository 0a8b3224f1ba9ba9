"""IAM roles of services of the embedded AWS: their sessions and permissions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from local.aws.emulator import require

Credentials = dict[str, str]


def check_emulator() -> None:
    """Check that ministack has what this module reads; see `local.aws.emulator.require`."""
    from ministack.services import iam

    require(iam, "_roles")


def session_credentials(role_arn: str, session_name: str) -> Credentials:
    """Return the credentials of a session of a role, as the environment variables that AWS's libraries read.

    The same role and session name always give the same session. It lasts as long as the embedded AWS.

    Parameters
    ----------
    role_arn
        ARN of the role.
    session_name
        Last part of the session's ARN, which logs and denials show.
    """
    from ministack.services import sts

    account, role_name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    digest = hashlib.sha256(f"{role_arn}/{session_name}".encode()).hexdigest()
    credentials = {
        "AWS_ACCESS_KEY_ID": f"ASIA{digest[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        "AWS_SESSION_TOKEN": hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    }
    sts.register_session(
        credentials["AWS_ACCESS_KEY_ID"],
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{role_name}:{session_name}",
            "SecretAccessKey": credentials["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": credentials["AWS_SESSION_TOKEN"],
        },
    )
    return credentials


def denial(access_key: str, action: str, resource: str = "*", context: Mapping[str, Any] | None = None) -> str | None:
    """Return the reason why IAM denies an action, None if it allows it.

    Parameters
    ----------
    access_key
        Access key of a session of `session_credentials`, or one whose signature was checked before.
    action
        IAM action, such as ``iam:PassRole``.
    resource
        ARN of the resource.
    context
        Condition keys, such as ``iam:PassedToService``.
    """
    from ministack.core.iam_actions import identity_denial_message
    from ministack.core.iam_evaluator import AuthError, enforce
    from ministack.core.responses import get_region

    namespace = action.partition(":")[0]
    refused = enforce(access_key, action, namespace, get_region(), resource, dict(context or {}))
    if refused is None:
        return None
    if isinstance(refused, AuthError):
        return refused.message
    return identity_denial_message(action, refused.principal_arn, resource, refused.decision == "Deny")


def trusts(role_arn: str, service: str) -> bool:
    """Say whether a role exists and may be assumed by a service, such as ``sagemaker.amazonaws.com``.

    Services act for the role's own account, so a condition on ``aws:SourceAccount`` has to name it; any other condition
    is not met.
    """
    from ministack.services import iam

    role = iam._roles.get(role_arn.rpartition("/")[2])
    if role is None or role["Arn"] != role_arn:
        return False
    document = role["AssumeRolePolicyDocument"]
    statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
    return any(
        statement["Effect"] == "Allow"
        and service in _as_list(statement.get("Principal", {}).get("Service", []))
        and statement.get("Condition", {}) in ({}, {"StringEquals": {"aws:SourceAccount": role_arn.split(":")[4]}})
        for statement in _as_list(statements)
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
