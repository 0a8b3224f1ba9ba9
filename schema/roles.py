"""Roles of signed-in people: their order, and where tokens name them."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["reader", "editor", "admin"]
# The role of somebody whose token names none.
DefaultRole = Literal["none", "reader", "editor"]
# Each role may do what the roles before it may.
ROLES: tuple[Role, ...] = get_args(Role)
# What each role is for; also the descriptions of the user pool's groups.
PURPOSES: dict[Role, str] = {
    "reader": "Reads companies, and projects that are shared with them; changes nothing and causes no costs",
    "editor": "Changes the list of companies, and has projects, documents, jobs and texts analysed",
    "admin": "May do everything, also what is kept for administrators",
}
# Claim of Amazon Cognito's tokens with the names of the user's groups. Names of groups have no blanks:
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html
COGNITO_CLAIM = "cognito:groups"
# Attribute of Cognito's profiles with the groups that somebody has at their identity provider.
PROVIDER_GROUPS_ATTRIBUTE = "groups"
PROVIDER_GROUPS = f"custom:{PROVIDER_GROUPS_ATTRIBUTE}"
# Claim that holds several values in one text, with blanks between them (RFC 6749, section 3.3).
SCOPE_CLAIM = "scope"
# Limits of the map from a claim's values to roles, which is an environment variable of each function. All variables of
# a function have at most 4 KB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ROLE_VALUES = 20
ROLE_VALUE_CHARACTERS = 80


def includes(role: str, needed: Role) -> bool:
    """Tell whether a role may do what another role may; text that is no role may do nothing."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)  # pyright: ignore[reportArgumentType]


def highest(roles: set[Role]) -> Role | None:
    """Return the role that may do most; None of none."""
    return max(roles, key=ROLES.index, default=None)
