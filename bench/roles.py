"""Roles of the baselines, which may do all that they might need: they are not what is measured for its permissions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from local.aws.embedded_aws import EmbeddedAws


def make_role(aws: EmbeddedAws, name: str, service: str, actions: Sequence[str]) -> str:
    """Make a role.

    Parameters
    ----------
    aws
        Where.
    name
        Of the role and its policy.
    service
        Who takes it on, such as `lambda.amazonaws.com`.
    actions
        What it may do, with every resource of the embedded AWS.

    Returns
    -------
    Its ARN.
    """
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=_policy(allowed))
    return role["Arn"]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
