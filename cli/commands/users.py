"""`nlp users`: accounts of the stack's user pool. Unlike the API's commands, these need AWS credentials."""

from __future__ import annotations

import re
import secrets
from datetime import UTC
from typing import TYPE_CHECKING, Any

import click

from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, say, write_json, write_table
from cli.ui.text import printable, relative_time

if TYPE_CHECKING:
    from cli.aws.deployment import Deployment

# What Cognito's states mean.
STATES = {
    "CONFIRMED": "active",
    "FORCE_CHANGE_PASSWORD": "invited",
    "RESET_REQUIRED": "password reset",
    "UNCONFIRMED": "not confirmed",
}
STYLES = {"active": "green", "disabled": "red", "invited": "yellow"}


@click.group(epilog=examples("nlp --stack dev users invite you@example.com", "nlp --stack dev users list"))
@global_options()
def users() -> None:
    """Manage who may sign in. Needs AWS credentials."""


@users.command(
    epilog=examples("nlp --stack dev users invite you@example.com", "nlp users invite --resend you@example.com")
)
@click.argument("email")
@click.option("--resend", is_flag=True, help="Send a new temporary password to somebody who was invited before.")
@global_options()
@click.pass_obj
def invite(invocation: Invocation, email: str, resend: bool) -> None:
    """Invite EMAIL: make an account, with a temporary password.

    Cognito sends the password there. It is to be replaced at the first sign-in, within 3 days.
    """
    from cli.aws.lost_answers import create_account

    deployment, address = invocation.deployment, email.strip()
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", address):
        raise click.BadParameter(f"{email!r} is not an e-mail address.", param_hint="EMAIL")
    # The embedded AWS sends no e-mails: it is told the password that is shown here.
    password = _temporary_password() if deployment.is_local else None
    client = deployment.client("cognito-idp")
    try:
        if resend and password:
            client.admin_set_user_password(
                UserPoolId=_pool(deployment), Username=address, Password=password, Permanent=False
            )
        else:
            create_account(client, _invitation(_pool(deployment), address, resend, password))
    except client.exceptions.UsernameExistsException:
        raise CliError(f"{address} has an account already. Invite again: nlp users invite --resend {address}") from None
    except client.exceptions.UserNotFoundException:
        raise CliError(f"{address} was not invited before: leave out --resend.") from None
    except client.exceptions.UnsupportedUserStateException:
        raise CliError(f"{address} has signed in before, with a password of their own.") from None
    _report_invitation(invocation, address, password)


def _invitation(pool: str, address: str, resend: bool, password: str | None) -> dict[str, Any]:
    attributes = {"email": address, "email_verified": "true"}
    request: dict[str, Any] = {
        "UserPoolId": pool,
        "Username": address,
        "UserAttributes": [{"Name": name, "Value": value} for name, value in attributes.items()],
        "DesiredDeliveryMediums": ["EMAIL"],
    }
    if password:
        request |= {"TemporaryPassword": password, "MessageAction": "SUPPRESS"}
    if resend:
        request |= {"MessageAction": "RESEND"}
    return request


def _report_invitation(invocation: Invocation, address: str, password: str | None) -> None:
    if invocation.json:
        write_json({"email": address, "temporary_password": password})
        return
    say(f"Invited {printable(address)}.")
    if password:
        say(f"Temporary password, as the embedded AWS sends no e-mail: {password}")
    else:
        hint("Cognito sends them a temporary password, valid for 3 days.")
    hint(f"They sign in with it: {invocation.deployment.command(f'login --email {address}')}")


@users.command("list", epilog=examples("nlp --stack dev users list", "nlp users list --json | jq -r '.[].user'"))
@global_options()
@click.pass_obj
def list_users(invocation: Invocation) -> None:
    """List the accounts, with their ids."""
    found = sorted(accounts(invocation.deployment), key=lambda account: account["email"])
    if invocation.json:
        write_json(found)
    elif found:
        rows = [
            [account["user"], account["state"], relative_time(account["created_at"]), account["email"]]
            for account in found
        ]
        write_table(["user", "state", "created", "email"], rows, _style, whole=["user"])
    else:
        hint("No accounts yet. Make one: nlp users invite EMAIL")


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
    wanted = {"Filter": 'email = "{}"'.format(email.replace('"', '\\"'))} if email else {}
    pages = (
        deployment.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=_pool(deployment), **wanted)
    )
    return [_account(user) for page in pages for user in page["Users"]]


def _account(user: dict[str, Any]) -> dict[str, Any]:
    attributes = {one["Name"]: one["Value"] for one in user["Attributes"]}
    state = STATES.get(user["UserStatus"], user["UserStatus"].lower())
    return {
        "user": attributes.get("sub", user["Username"]),
        "email": attributes.get("email", ""),
        "state": state if user.get("Enabled", True) else "disabled",
        "created_at": f"{user['UserCreateDate'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def _pool(deployment: Deployment) -> str:
    if not deployment.optional_output("user_pool"):
        raise CliError(f"Users of this API have their accounts at {deployment.output('issuer')}: manage them there.")
    return deployment.output("user_pool")


def _temporary_password() -> str:
    # Of each class of characters that the pool's policy asks for.
    return f"{secrets.token_urlsafe(12)}-Aa1"


def _style(_heading: str, cell: str) -> str:
    return STYLES.get(cell, "")
