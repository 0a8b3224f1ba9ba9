"""`nlp users`: accounts of the stack's user pool. Unlike the API's commands, these need AWS credentials."""

from __future__ import annotations

import re
import secrets

import click

from cli.aws.people import NO_ROLE, Account, People
from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, say, write_json, write_table
from cli.ui.text import printable, relative_time
from schema.roles import PURPOSES, ROLES, Role

STYLES = {"active": "green", "disabled": "red", "invited": "yellow"}
ROLE = click.Choice(ROLES)


@click.group(
    epilog=examples(
        "nlp --stack dev users add you@example.com --role editor",
        "nlp --stack dev users role you@example.com admin",
        "nlp --stack dev users list",
    )
)
@global_options()
def users() -> None:
    """Manage who may sign in, and their roles. Needs AWS credentials.

    A reader reads. An editor also changes the list of companies and has paid work done. An admin may do everything.
    """


@users.command(
    epilog=examples("nlp --stack dev users add you@example.com --role editor", "nlp users add --resend you@example.com")
)
@click.argument("email")
@click.option("--role", type=ROLE, help="Their role; without it, the stack's default role (api.default_role).")
@click.option("--resend", is_flag=True, help="Send a new temporary password to somebody who was invited before.")
@global_options()
@click.pass_obj
def invite(invocation: Invocation, email: str, role: Role | None, resend: bool) -> None:
    """Make an account for EMAIL, with a temporary password.

    Cognito sends the password there. It is to be replaced at the first sign-in, within 3 days.
    """
    deployment, address = invocation.deployment, email.strip()
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", address):
        raise click.BadParameter(f"{email!r} is not an e-mail address.", param_hint="EMAIL")
    people = People(deployment)
    # The embedded AWS sends no e-mails: it is told the password that is shown here.
    password = _temporary_password() if deployment.is_local else None
    if resend:
        people.invite_again(address, password)
    else:
        people.invite(address, password)
    if role:
        _give_first_role(people, address, role)
    _report_invitation(invocation, address, password, role)


# The same command under the word that the others have.
users.add_command(invite, "add")


def _give_first_role(people: People, address: str, role: Role) -> None:
    try:
        people.give_role(people.find(address), role)
    except Exception:
        hint(f"{printable(address)} was invited, but has no role yet: nlp users role {printable(address)} {role}")
        raise


def _report_invitation(invocation: Invocation, address: str, password: str | None, role: Role | None) -> None:
    if invocation.json:
        write_json({"email": address, "role": role, "temporary_password": password})
        return
    say(f"Invited {printable(address)}{f' as {role}' if role else ''}.")
    if password:
        say(f"Temporary password, as the embedded AWS sends no e-mail: {password}")
    else:
        hint("Cognito sends them a temporary password, valid for 3 days.")
    hint(f"They sign in with it: {invocation.deployment.command(f'login --email {address}')}")


@users.command(epilog=examples("nlp --stack dev users role you@example.com editor"))
@click.argument("who", metavar="EMAIL")
@click.argument("role", type=click.Choice([*ROLES, NO_ROLE]))
@global_options()
@click.pass_obj
def role(invocation: Invocation, who: str, role: str) -> None:
    """Give EMAIL a role in place of the one before; `none` leaves them the stack's default role.

    In place of the e-mail address, the user's id will do. The role counts from their next access token on, at the
    latest after api.access_token_minutes.
    """
    people = People(invocation.deployment)
    account = people.find(who)
    people.give_role(account, None if role == NO_ROLE else role)  # pyright: ignore[reportArgumentType] - checked by click
    what = "the default role" if role == NO_ROLE else f"the role {role}: {PURPOSES[role].lower()}"  # pyright: ignore[reportArgumentType]
    _report_change(invocation, people, account, f"{_name(account)} has {what}.")


@users.command(epilog=examples("nlp --stack dev users disable you@example.com"))
@click.argument("who", metavar="EMAIL")
@global_options()
@click.pass_obj
def disable(invocation: Invocation, who: str) -> None:
    """Keep EMAIL from signing in.

    Access tokens that they have end within api.access_token_minutes, and cannot be renewed.
    """
    people = People(invocation.deployment)
    account = people.find(who)
    people.disable(account)
    _report_change(invocation, people, account, f"{_name(account)} cannot sign in any more.")


@users.command(epilog=examples("nlp --stack dev users enable you@example.com"))
@click.argument("who", metavar="EMAIL")
@global_options()
@click.pass_obj
def enable(invocation: Invocation, who: str) -> None:
    """Let EMAIL sign in again."""
    people = People(invocation.deployment)
    account = people.find(who)
    people.enable(account)
    _report_change(invocation, people, account, f"{_name(account)} can sign in again.")


@users.command(epilog=examples("nlp --stack dev users remove you@example.com --yes"))
@click.argument("who", metavar="EMAIL")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing.")
@global_options()
@click.pass_obj
def remove(invocation: Invocation, who: str, yes: bool) -> None:
    """Delete the account of EMAIL.

    Projects of theirs stay, but a new account with this address does not own them. `nlp users disable` can be undone.
    """
    people = People(invocation.deployment)
    account = people.find(who)
    if not yes:
        try:
            click.confirm(f"Delete the account of {_name(account)}?", abort=True, err=True)
        except click.Abort:
            click.echo(err=True)
            raise CliError("Nothing was removed: no confirmation. Use --yes to be asked nothing.") from None
    people.remove(account)
    if invocation.json:
        write_json({**account.shown, "state": "removed"})
    else:
        say(f"Removed {_name(account)}.")


@users.command("list", epilog=examples("nlp --stack dev users list", "nlp users list --json | jq -r '.[].user'"))
@global_options()
@click.pass_obj
def list_users(invocation: Invocation) -> None:
    """List the accounts, with their ids, roles and states.

    Those without a role have the stack's default role (api.default_role).
    """
    found = sorted(People(invocation.deployment).with_roles(), key=lambda account: account["email"])
    if invocation.json:
        write_json(found)
    elif found:
        rows = [
            [
                account["user"],
                account["state"],
                account["role"] or "default",
                relative_time(account["created_at"]),
                account["email"],
            ]
            for account in found
        ]
        write_table(["user", "state", "role", "created", "email"], rows, _style, whole=["user"])
    else:
        hint("No accounts yet. Make one: nlp users add EMAIL --role editor")


def _report_change(invocation: Invocation, people: People, account: Account, message: str) -> None:
    if invocation.json:
        write_json(people.read(account))
    else:
        say(message)


def _name(account: Account) -> str:
    return printable(account.shown["email"] or account.shown["user"])


def _temporary_password() -> str:
    # Of each class of characters that the pool's policy asks for.
    return f"{secrets.token_urlsafe(12)}-Aa1"


def _style(_heading: str, cell: str) -> str:
    return STYLES.get(cell, "")
