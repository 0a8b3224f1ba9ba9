"""People: accounts of the stack's user pool and their roles. All of it needs AWS credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from cli.aws.deployment import Deployment
from cli.aws.lost_answers import create_account
from cli.ui.errors import CliError
from cli.ui.text import printable
from schema.roles import ROLES, Role, highest

# What Cognito's states mean.
STATES = {
    "CONFIRMED": "active",
    "EXTERNAL_PROVIDER": "active",
    "FORCE_CHANGE_PASSWORD": "invited",
    "RESET_REQUIRED": "password reset",
    "UNCONFIRMED": "not confirmed",
}
NO_ROLE = "none"


@dataclass(frozen=True)
class Account:
    """An account.

    Attributes
    ----------
    username : str
        Its name in the pool, which Cognito's interface asks for.
    shown : dict
        Id, e-mail address, state and when it was made.
    """

    username: str
    shown: dict[str, Any]


class People:
    """The accounts of a deployment's user pool.

    Parameters
    ----------
    deployment : Deployment

    Raises
    ------
    CliError
        When the deployment has no user pool.
    """

    def __init__(self, deployment: Deployment):
        self._deployment = deployment
        self._pool = pool_of(deployment)
        self._cognito = deployment.client("cognito-idp")

    def invite(self, address: str, password: str | None) -> None:
        """Make an account.

        Parameters
        ----------
        address : str
            E-mail address.
        password : str, optional
            Temporary password that is set without an e-mail; otherwise Cognito makes one and sends it.

        Raises
        ------
        CliError
            When there is one already.
        """
        try:
            create_account(self._cognito, self._invitation(address, password))
        except self._cognito.exceptions.UsernameExistsException:
            raise CliError(
                f"{address} has an account already. Invite again: nlp users add --resend {address}"
            ) from None

    def invite_again(self, address: str, password: str | None) -> None:
        """Make a new temporary password for somebody who has not signed in yet.

        Raises
        ------
        CliError
            When there is no invitation.
        """
        exceptions = self._cognito.exceptions
        try:
            if password:
                self._cognito.admin_set_user_password(
                    UserPoolId=self._pool, Username=address, Password=password, Permanent=False
                )
            else:
                create_account(self._cognito, self._invitation(address, None) | {"MessageAction": "RESEND"})
        except exceptions.UserNotFoundException:
            raise CliError(f"{address} was not invited before: leave out --resend.") from None
        except exceptions.UnsupportedUserStateException:
            raise CliError(f"{address} has signed in before, with a password of their own.") from None

    def _invitation(self, address: str, password: str | None) -> dict[str, Any]:
        attributes = {"email": address, "email_verified": "true"}
        request: dict[str, Any] = {
            "UserPoolId": self._pool,
            "Username": address,
            "UserAttributes": [{"Name": name, "Value": value} for name, value in attributes.items()],
            "DesiredDeliveryMediums": ["EMAIL"],
        }
        return request | ({"TemporaryPassword": password, "MessageAction": "SUPPRESS"} if password else {})

    def find(self, who: str) -> Account:
        """Find an account.

        Parameters
        ----------
        who : str
            E-mail address or id of the user.

        Raises
        ------
        CliError
            When there is none, or several.
        """
        who = who.strip()
        found = _listed(self._deployment, "email" if "@" in who else "sub", who)
        if not found:
            raise CliError(f"{who} has no account: see `{self._deployment.command('users list')}`.")
        if len(found) > 1:
            ids = ", ".join(account.shown["user"] for account in found)
            raise CliError(f"{printable(who)} has {len(found)} accounts: give the id of one of them ({ids}).")
        return found[0]

    def read(self, account: Account) -> dict[str, Any]:
        """Read an account again, with its role."""
        found = next(iter(_listed(self._deployment, "sub", account.shown["user"])), account)
        return {**found.shown, "role": highest(set(self._roles_of(account)))}

    def with_roles(self) -> list[dict[str, Any]]:
        """Read all accounts, each with its role; None where it has been given none."""
        roles: dict[str, Role] = {}
        for role in ROLES:  # a later one may do more
            pages = self._cognito.get_paginator("list_users_in_group").paginate(UserPoolId=self._pool, GroupName=role)
            roles |= {user["Username"]: role for page in pages for user in page["Users"]}
        return [{**account.shown, "role": roles.get(account.username)} for account in _listed(self._deployment)]

    def give_role(self, account: Account, role: Role | None) -> None:
        """Give a role in place of the one before, or take it away. A failure leaves the account with both at most."""
        before = self._roles_of(account)
        request = {"UserPoolId": self._pool, "Username": account.username}
        if role and role not in before:
            self._cognito.admin_add_user_to_group(**request, GroupName=role)
        for other in before:
            if other != role:
                self._cognito.admin_remove_user_from_group(**request, GroupName=other)

    def disable(self, account: Account) -> None:
        """Keep somebody from signing in, and their tokens from being renewed."""
        self._cognito.admin_disable_user(UserPoolId=self._pool, Username=account.username)

    def enable(self, account: Account) -> None:
        """Let somebody sign in again."""
        self._cognito.admin_enable_user(UserPoolId=self._pool, Username=account.username)

    def remove(self, account: Account) -> None:
        """Delete an account."""
        self._cognito.admin_delete_user(UserPoolId=self._pool, Username=account.username)

    def _roles_of(self, account: Account) -> list[Role]:
        pages = self._cognito.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=self._pool, Username=account.username
        )
        names = {group["GroupName"] for page in pages for group in page["Groups"]}
        return [role for role in ROLES if role in names]


def accounts(deployment: Deployment, email: str | None = None) -> list[dict[str, Any]]:
    """Read the accounts of the user pool.

    Parameters
    ----------
    deployment : Deployment
    email : str, optional
        Only that of this address.

    Returns
    -------
    list of dict
        Of each its id, e-mail address, state and when it was made.
    """
    return [account.shown for account in _listed(deployment, "email" if email else "", email or "")]


def pool_of(deployment: Deployment) -> str:
    """Return the id of a deployment's user pool.

    Raises
    ------
    CliError
        When it has none.
    """
    if not deployment.optional_output("user_pool"):
        raise CliError(f"Users of this API have their accounts at {deployment.output('issuer')}: manage them there.")
    return deployment.output("user_pool")


def _listed(deployment: Deployment, attribute: str = "", value: str = "") -> list[Account]:
    wanted = {"Filter": '{} = "{}"'.format(attribute, value.replace('"', '\\"'))} if attribute else {}
    pages = (
        deployment.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=pool_of(deployment), **wanted)
    )
    return [Account(user["Username"], _shown(user)) for page in pages for user in page["Users"]]


def _shown(user: dict[str, Any]) -> dict[str, Any]:
    attributes = {one["Name"]: one["Value"] for one in user["Attributes"]}
    state = STATES.get(user["UserStatus"], user["UserStatus"].lower())
    return {
        "user": attributes.get("sub", user["Username"]),
        "email": attributes.get("email", ""),
        "state": state if user.get("Enabled", True) else "disabled",
        "created_at": f"{user['UserCreateDate'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
