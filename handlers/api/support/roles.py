"""The role of whoever sends a request, and the one place that checks it."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.problems import Problem
from schema.roles import COGNITO_CLAIM, PURPOSES, ROLES, SCOPE_CLAIM, DefaultRole, Role, highest, includes

_TOKEN = re.compile(r"(?:Bearer )?([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII | re.IGNORECASE)
# Claims that show that two sets of claims are those of one token.
_IDENTIFYING = ("iss", "sub", "jti")


class _Environment(msgspec.Struct, frozen=True):
    # Without a declared role, the endpoint is open to administrators alone.
    required_role: Role = "admin"
    default_role: DefaultRole = "none"
    role_claim: str = COGNITO_CLAIM
    role_values: str = "{}"


class RoleCheck:
    """Refuses callers whose role may not use this endpoint.

    Parameters
    ----------
    environment
        Environment variables. `REQUIRED_ROLE` is the endpoint's. `ROLE_CLAIM` names the claim that holds roles, if any,
        and `ROLE_VALUES` maps its values to roles as JSON; without values, the claim has the roles' own names.
        `DEFAULT_ROLE` is the role of those whose token names none.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        settings = read_environment(_Environment, environment)
        self._needed: Role = settings.required_role
        self._default = settings.default_role
        self._claim = settings.role_claim
        values = msgspec.json.decode(settings.role_values, type=dict[str, Role])
        self._roles: dict[str, Role] = values or {role: role for role in ROLES}

    def __call__(self, request: Request) -> None:
        """Check a request.

        Raises
        ------
        Problem
            There is no access token, or its user has no role that may use the endpoint.
        """
        _ = request.caller
        if not includes(self.role(request), self._needed):
            raise Problem(
                "role-needed",
                f"This needs the role {self._needed} ({PURPOSES[self._needed].lower()}). "
                "An administrator gives roles; a new role counts from the next token on.",
                required_role=self._needed,
            )

    def role(self, request: Request) -> str:
        """Return the highest role that the token names, or the default."""
        values = claimed_values(request, self._claim) if self._claim else []
        return highest({self._roles[value] for value in values if value in self._roles}) or self._default


def claimed_values(request: Request, claim: str) -> list[str]:
    """Read the values of a claim that holds several.

    API Gateway passes a list as text, such as `[editor admin]`. Names of Cognito's groups have no blanks, so that text
    is exact. Another issuer's values may have blanks: `[not editor]` would be one value or two. Therefore they are
    taken from the token itself, which API Gateway has checked.

    Parameters
    ----------
    request
        The request.
    claim
        Name of the claim.

    Returns
    -------
    The values; none where the claim is absent or has another form.
    """
    given = request.claims.get(claim)
    if isinstance(given, str):
        if claim == COGNITO_CLAIM:
            return given[1:-1].split(" ") if given.startswith("[") and given.endswith("]") else [given]
        given = _claims_in_token(request).get(claim)
    if isinstance(given, str):
        return given.split(" ") if claim == SCOPE_CLAIM else [given]
    return [value for value in given if isinstance(value, str)] if isinstance(given, list) else []


def _claims_in_token(request: Request) -> dict[str, Any]:
    """Read the claims in the token that API Gateway has checked; empty where there is no such single token."""
    token = _TOKEN.fullmatch(request.header("authorization"))
    if token is None:
        return {}
    payload = token[2]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:  # msgspec's errors are among them
        return {}
    checked = request.claims
    is_same = isinstance(claims, dict) and all(claims.get(name) == checked.get(name) for name in _IDENTIFYING)
    return claims if is_same else {}
