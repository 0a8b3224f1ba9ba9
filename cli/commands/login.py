"""`nlp login`, `nlp logout` and `nlp token`: who uses the API."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, say, write_json
from cli.ui.text import printable

if TYPE_CHECKING:
    from cli.api.tokens import Tokens, TokenStore
    from cli.aws.deployment import Deployment
    from cli.ui.questions import Questions


@click.command(
    epilog=examples(
        "nlp login",
        "nlp --stack dev login --email you@example.com",
        "nlp login --email you@example.com --password-stdin < password.txt",
        "nlp login --token-stdin < token.txt",
    )
)
@click.option("--email", metavar="ADDRESS", help="E-mail address of the account; asked for when absent.")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Take the password from the first line of stdin; the next lines answer what else is asked.",
)
@click.option("--token-stdin", is_flag=True, help="Keep the access token on stdin, of whichever issuer.")
@click.option("--reset-password", is_flag=True, help="Set a new password, with a code that is sent by e-mail.")
@global_options()
@click.pass_obj
def login(
    invocation: Invocation, email: str | None, password_stdin: bool, token_stdin: bool, reset_password: bool
) -> None:
    """Sign in to the API.

    The commands on companies, projects, documents and jobs need it.

    It asks for e-mail address and password, and for whatever else the user pool wants. On the local stack nothing is
    asked, unless --email names another account.
    """
    if token_stdin and (email or password_stdin or reset_password):
        raise click.UsageError("--token-stdin needs neither an e-mail address nor a password.")
    if password_stdin and not email:
        raise click.UsageError("--password-stdin needs --email ADDRESS.")
    deployment = invocation.deployment
    tokens = _given_token(deployment) if token_stdin else _sign_in(deployment, email, reset_password, password_stdin)
    _store(deployment).save(tokens)
    _report(invocation, tokens)


def _sign_in(deployment: Deployment, email: str | None, reset_password: bool, from_stdin: bool) -> Tokens:
    if not deployment.optional_output("user_pool"):
        raise CliError(
            f"Users of this API sign in at {deployment.output('issuer')}: get an access token there, "
            f"and give it by `{deployment.command('login --token-stdin')}`."
        )
    from cli.api.cognito import CognitoSignIn
    from cli.ui.questions import StdinQuestions, TerminalQuestions

    questions: Questions = StdinQuestions() if from_stdin else TerminalQuestions()
    user = deployment.user
    if user and email is None and not reset_password:
        return CognitoSignIn(deployment).sign_in(user["email"], user["password"], questions)
    address = (email or questions.text("E-mail address")).strip()
    if reset_password:
        return CognitoSignIn(deployment).reset_password(address, questions)
    return CognitoSignIn(deployment).sign_in(address, questions.secret("Password"), questions)


def _given_token(deployment: Deployment) -> Tokens:
    from cli.api.identity import checked_token, claims_of
    from cli.api.tokens import Tokens

    token = checked_token(sys.stdin.read(), "stdin")
    expires_at = claims_of(token).get("exp")
    return Tokens(
        api_url=deployment.output("api_url").rstrip("/"),
        access_token=token,
        expires_at=float(expires_at) if isinstance(expires_at, int | float) else None,
    )


def _report(invocation: Invocation, tokens: Tokens) -> None:
    from cli.api.identity import claims_of

    user = str(claims_of(tokens.access_token).get("sub", ""))
    # With a refresh token, the access token's end is of no interest.
    ends = None if tokens.refresh_token or tokens.expires_at is None else datetime.fromtimestamp(tokens.expires_at, UTC)
    if invocation.json:
        write_json(
            {
                "api_url": tokens.api_url,
                "email": tokens.email or None,
                "user": user or None,
                "expires_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}" if ends else None,
            }
        )
        return
    who = printable(tokens.email or user or "the token's user")
    until = f" until {ends.astimezone():%Y-%m-%d %H:%M}" if ends else ""
    say(f"Signed in as {who}{until}.")
    if user:
        hint(f"Others share a project with you by this id: {printable(user)}")


@click.command(epilog=examples("nlp logout"))
@global_options()
@click.pass_obj
def logout(invocation: Invocation) -> None:
    """Sign out.

    The tokens are forgotten here, and the refresh token is revoked. A copy of the access token
    remains valid until it expires, after api.access_token_minutes (default: 15) at most.
    """
    deployment = invocation.deployment
    store = _store(deployment)
    tokens = store.load()
    store.forget()
    if tokens and tokens.refresh_token:
        from cli.api.cognito import CognitoSignIn

        try:
            CognitoSignIn(deployment).revoke(tokens)
        except Exception:
            hint("The tokens are forgotten here, but the refresh token could not be revoked:")
            raise
    if invocation.json:
        write_json({"signed_out": tokens is not None})
    else:
        say("Signed out." if tokens else "Nobody was signed in.")


@click.command(
    epilog=examples('curl -H "Authorization: Bearer $(nlp token)" "$API/projects"', "nlp token --json | jq -r .user")
)
@global_options()
@click.pass_obj
def token(invocation: Invocation) -> None:
    """Print the access token, for curl and other programs.

    It is renewed where needed. Whoever has it can do what you can, for as long as it lasts.
    """
    from cli.api.identity import Identity, claims_of

    access_token = Identity(invocation.deployment).token()
    if invocation.json:
        claims = claims_of(access_token)
        write_json(
            {
                "api_url": invocation.deployment.output("api_url"),
                "access_token": access_token,
                "user": claims.get("sub"),
                "expires_at": claims.get("exp"),
            }
        )
    else:
        say(access_token)


def _store(deployment: Deployment) -> TokenStore:
    from cli.api.tokens import TokenStore

    return TokenStore(deployment.output("api_url").rstrip("/"))
