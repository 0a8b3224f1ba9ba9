"""Lambda function: turns a person's groups at their identity provider into roles, before Cognito makes tokens.

Cognito keeps the groups in an attribute of the person's profile and renews it with each sign-in at the provider. The
event and its answer are those of version 2 of the trigger:
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.common.environment import read_environment
from handlers.common.logs import logger, start_request
from schema.roles import PROVIDER_GROUPS, Role

_STATUS = "cognito:user_status"
_FEDERATED = "EXTERNAL_PROVIDER"


class _Environment(msgspec.Struct, frozen=True):
    provider_roles: str


environment = read_environment(_Environment)
roles_of_groups = msgspec.json.decode(environment.provider_roles, type=dict[str, dict[str, Role]])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Add the roles that a person has by their groups to the groups of the pool.

    Parameters
    ----------
    event
        Cognito's event.
    context
        Lambda's context object.

    Returns
    -------
    The event with the groups that the tokens shall name.
    """
    start_request(context)
    request = event["request"]
    groups = list((request.get("groupConfiguration") or {}).get("groupsToOverride") or [])
    roles = provider_roles(request.get("userAttributes") or {})
    logger.info("roles given", extra={"user_name": event.get("userName", ""), "roles": sorted(roles)})
    groups += sorted(roles - set(groups))
    event["response"] = {"claimsAndScopeOverrideDetails": {"groupOverrideDetails": {"groupsToOverride": groups}}}
    return event


def provider_roles(attributes: dict[str, Any]) -> set[Role]:
    """Find the roles that a person's provider gives.

    Only profiles that belong to a provider count. People with a password of this pool may be able to write the
    attribute themselves.

    Parameters
    ----------
    attributes
        Attributes of the person's profile.
    """
    if attributes.get(_STATUS) != _FEDERATED:
        return set()
    groups = listed(str(attributes.get(PROVIDER_GROUPS, "")))
    known = [roles_of_groups.get(provider, {}) for provider in _providers(attributes)]
    return {roles[group] for roles in known for group in groups if group in roles}


def listed(text: str) -> list[str]:
    """Split the values of an attribute that had several: Cognito writes a list as JSON or with commas, in brackets.

    Names with a role consist of characters that Cognito does not encode, so they are compared as they stand.
    """
    try:
        values = msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError:
        inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        values = [value.strip() for value in inner.split(",")]
    return values


def _providers(attributes: dict[str, Any]) -> list[str]:
    """Name the providers in the attribute `identities`, which Cognito alone writes."""
    try:
        identities = msgspec.json.decode(str(attributes.get("identities", "[]")), type=list[dict[str, Any]])
    except msgspec.MsgspecError:
        return []
    return [str(one.get("providerName", "")) for one in identities]
