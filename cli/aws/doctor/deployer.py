"""Check that whoever deploys may do what a deployment does, by IAM's own simulation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cli.aws.deployer.policy import Statement, statements
from cli.aws.doctor.finding import Finding
from cli.aws.doctor.surroundings import Surroundings

NAME = "deployer's rights"
POLICY_ADVICE = "Attach the policies of `nlp doctor --policy` to the role that deploys."
# A placeholder for the random part of names.
EXAMPLE = "example"
NAMED = 10
WORKERS = 4
_ASSUMED = re.compile(r"arn:(?P<partition>aws[\w-]*):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.+")


def deployer_rights(around: Surroundings) -> Finding:
    """Simulate every action of a deployment for the caller."""
    from botocore.exceptions import ClientError

    if around.caller_arn.endswith(":root"):
        return Finding(NAME, "ok", "the root user may do everything")
    client = around.client("iam")
    try:
        source = principal_arn(client, around.caller_arn)
        denied = sorted(_denied(client, source, around))
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        return Finding(
            NAME,
            "warning",
            f"could not be checked: the credentials may not call iam:{error.operation_name}",
            "Allow iam:SimulatePrincipalPolicy and iam:GetRole, which are part of `nlp doctor --policy`.",
        )
    if denied:
        more = f" and {len(denied) - NAMED} more" if len(denied) > NAMED else ""
        return Finding(NAME, "failed", f"not allowed: {', '.join(denied[:NAMED])}{more}", POLICY_ADVICE)
    return Finding(NAME, "ok", "all actions of a deployment are allowed")


def principal_arn(client: Any, caller_arn: str) -> str:
    """Return the ARN of the user or role behind a caller: a session names the role without its path."""
    session = _ASSUMED.fullmatch(caller_arn)
    return client.get_role(RoleName=session["role"])["Role"]["Arn"] if session else caller_arn


def _denied(client: Any, source: str, around: Surroundings) -> Iterable[str]:
    made = statements(stack=around.settings.stack, region=around.settings.region, account=around.account)
    with ThreadPoolExecutor(WORKERS) as threads:
        for denied in threads.map(lambda one: _denied_of(client, source, one), made):
            yield from denied


def _denied_of(client: Any, source: str, statement: Statement) -> list[str]:
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for block in statement.get("Condition", {}).values()
        for key, value in block.items()
    ]
    # A request with several resources answers once per action, so each name has a request of its own.
    denied = {
        action
        for resource in statement["Resource"]
        for action in _denied_on(client, source, statement["Action"], resource, context)
    }
    return sorted(denied)


def _denied_on(client: Any, source: str, actions: list[str], resource: str, context: list[dict[str, Any]]) -> list[str]:
    pages = client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=source,
        ActionNames=actions,
        ResourceArns=[resource if resource == "*" else resource.replace("*", EXAMPLE)],
        ContextEntries=context,
    )
    results = [result for page in pages for result in page["EvaluationResults"]]
    return [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
