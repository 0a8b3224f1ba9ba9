"""Who uses an API: the access token that its requests carry."""

from __future__ import annotations

import base64
import binascii
import os
import threading
from contextlib import suppress
from typing import Any

import msgspec

from cli.api.tokens import Tokens, TokenStore
from cli.aws.deployment import Deployment
from cli.ui.errors import CliError
from cli.ui.json_input import decode_json

TOKEN_VARIABLE = "NLP_TOKEN"  # noqa: S105 - a name
# A token that ends this soon is renewed first: a request may take 30 seconds.
RENEWED_BEFORE_S = 60


class Identity:
    """Whoever is signed in to a deployment's API.

    Parameters
    ----------
    deployment : Deployment
    """

    def __init__(self, deployment: Deployment):
        self._deployment = deployment
        self._store = TokenStore(deployment.output("api_url").rstrip("/"))
        self._tokens: Tokens | None = None
        self._lock = threading.Lock()

    def token(self) -> str:
        """Return an access token that lasts for a while, renewing it where needed. Threads may share this object.

        Raises
        ------
        CliError
            When nobody is signed in.
        """
        if given := os.environ.get(TOKEN_VARIABLE):
            return checked_token(given, TOKEN_VARIABLE)
        with self._lock:
            tokens = self._tokens or self._store.load() or self._sign_in_locally(None)
            if tokens is None:
                raise CliError(f"You are not signed in: run `{self._deployment.command('login')}`.")
            if not tokens.lasts(RENEWED_BEFORE_S):
                tokens = self._renewed(tokens)
            self._tokens = tokens
            return tokens.access_token

    def replacement(self, refused: str) -> str:
        """Return another access token than one that the API has refused.

        Parameters
        ----------
        refused : str
            The token that was refused.

        Raises
        ------
        CliError
            When there is no other one.
        """
        if os.environ.get(TOKEN_VARIABLE):
            raise CliError(
                f"The API refuses the token in {TOKEN_VARIABLE}: put a valid one there, "
                f"or remove the variable and run `{self._deployment.command('login')}`."
            )
        with self._lock:
            tokens = self._tokens
            if tokens is None or tokens.access_token == refused:  # otherwise another thread was faster
                self._tokens = tokens = self._renewed(tokens, refused)
            return tokens.access_token

    def _renewed(self, before: Tokens | None, refused: str = "") -> Tokens:
        """Return tokens that last, from whatever process is the first to renew them.

        Each renewal brings another refresh token and ends the one before it, so the file has the one to use.
        """
        from cli.api.cognito import CognitoSignIn, SignInEndedError

        stored = self._store.load()
        # Somebody else may have signed in meanwhile; this process goes on as who it began.
        tokens = stored if stored and (before is None or stored.email == before.email) else before
        if tokens and tokens != before and tokens.access_token != refused and tokens.lasts(RENEWED_BEFORE_S):
            return tokens

        if tokens and tokens.refresh_token:
            with suppress(SignInEndedError):
                return self._kept(CognitoSignIn(self._deployment).refresh(tokens))
        renewed = self._sign_in_locally(tokens)
        if renewed is None:
            arguments = "login" if self._deployment.optional_output("user_pool") else "login --token-stdin"
            raise CliError(f"The sign-in has ended: run `{self._deployment.command(arguments)}`.")
        return renewed

    def _sign_in_locally(self, before: Tokens | None) -> Tokens | None:
        """Sign in as the user that the embedded AWS names, where there is one and nobody else was signed in."""
        user = self._deployment.user
        if not user or (before and before.email != user["email"]):
            return None
        from cli.api.cognito import CognitoSignIn
        from cli.ui.questions import StdinQuestions

        signed_in = CognitoSignIn(self._deployment).sign_in(user["email"], user["password"], StdinQuestions())
        return self._kept(signed_in)

    def _kept(self, tokens: Tokens) -> Tokens:
        # A folder that cannot be written to costs a sign-in with each command, and no more.
        with suppress(CliError):
            self._store.save(tokens)
        return tokens


def checked_token(text: str, source: str) -> str:
    """Check that a text can be sent as a token.

    Parameters
    ----------
    text : str
        The token, with or without `Bearer` in front of it.
    source : str
        Where it is from.

    Raises
    ------
    CliError
        When it cannot.
    """
    scheme, _, rest = text.strip().partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else text.strip()
    if not token or not all("!" <= character <= "~" for character in token):
        raise CliError(f"There is no token in {source}: one word of letters, digits and symbols is expected.")
    return token


def claims_of(token: str) -> dict[str, Any]:
    """Read what a token says of its user, unchecked; empty when it is not a JSON Web Token."""
    try:
        payload = token.split(".")[1]
        return decode_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=dict[str, Any])
    except (IndexError, binascii.Error, msgspec.MsgspecError, ValueError):
        return {}
