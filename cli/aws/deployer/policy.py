"""The IAM policy of whoever deploys, made of the rights that each type of resource takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cli.aws.deployer.rights import COMMAND_LINE, NAMES, RIGHTS, Right

# Characters of a managed policy, white space not counted.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
POLICY_CHARACTERS = 6144
VERSION = "2012-10-17"
# Actions that change nothing. API Gateway names its actions after HTTP's methods.
_READING = re.compile(r"^apigateway:GET$|:(Describe|Get|List|View)")

Statement = dict[str, Any]


def statements(*, stack: str, region: str, account: str, read_only: bool = False) -> list[Statement]:
    """Make the statements: each action once per set of resources, sorted.

    Parameters
    ----------
    stack : str
        Name of the stack.
    region, account : str
        Where the stack is deployed; `*` for any.
    read_only : bool
        Only what a preview with a refresh reads.
    """
    fields = {"stack": stack, "region": region, "account": account}
    actions: dict[tuple[tuple[str, ...], str], set[str]] = {}
    for one in _all_rights():
        place = (tuple(_filled(one.resources, fields)), json.dumps(one.condition, sort_keys=True))
        allowed = [action for action in one.actions if not read_only or _READING.search(action)]
        if allowed:
            actions.setdefault(place, set()).update(allowed)
    made = [_statement(sorted(named), resources, condition) for (resources, condition), named in actions.items()]
    return sorted(made, key=lambda one: (one["Action"][0].partition(":")[0], one["Resource"], one["Action"]))


def policy_documents(*, stack: str, region: str, account: str, read_only: bool = False) -> list[dict[str, Any]]:
    """Make policies that together allow what `statements` lists, as few as IAM's limit of their length permits."""
    documents: list[dict[str, Any]] = []
    for statement in statements(stack=stack, region=region, account=account, read_only=read_only):
        fitting = next((one for one in documents if _length(one, statement) <= POLICY_CHARACTERS), None)
        if fitting is None:
            fitting = {"Version": VERSION, "Statement": []}
            documents.append(fitting)
        fitting["Statement"].append(statement)
    return documents


def _all_rights() -> Iterable[Right]:
    for rights in RIGHTS.values():
        yield from rights
    yield from COMMAND_LINE


def _filled(resources: Iterable[str], fields: Mapping[str, str]) -> Iterable[str]:
    for resource in resources:
        for name in NAMES if "{name}" in resource else ("",):
            yield resource.format(name=name, **fields)


def _statement(actions: list[str], resources: tuple[str, ...], condition: str) -> Statement:
    conditions = json.loads(condition)
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": list(resources),
        **({"Condition": conditions} if conditions else {}),
    }


def _length(document: Mapping[str, Any], further: Statement) -> int:
    whole = {**document, "Statement": [*document["Statement"], further]}
    return len(json.dumps(whole, separators=(",", ":")))
