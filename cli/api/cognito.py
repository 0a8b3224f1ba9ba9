"""Signing in to the stack's Cognito user pool. None of it needs AWS credentials."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from botocore.exceptions import ClientError

from cli.api.tokens import Tokens
from cli.aws.deployment import Deployment
from cli.aws.lost_answers import was_repeated
from cli.ui.errors import CliError
from cli.ui.output import hint
from cli.ui.questions import Questions
from schema.srp import begin_sign_in

ISSUER = "Cloud NLP"
# What is asked again after a wrong answer, and how often.
ATTEMPTS = 3
ASKED_AGAIN = {
    "CodeMismatchException",
    "EnableSoftwareTokenMFAException",
    "InvalidParameterException",
    "InvalidPasswordException",
}
SIGN_IN_ENDED = {
    "NotAuthorizedException",
    "RefreshTokenReuseException",
    "ResourceNotFoundException",
    "UserNotFoundException",
}
# Answers to a code of an e-mail that was used before.
USED_CODE = {"CodeMismatchException", "ExpiredCodeException"}
CODE_PROMPT = "Code of your authenticator"
Answer = dict[str, Any]

WRONG_PASSWORD = "The e-mail address or the password is wrong."  # noqa: S105 - a message
# Words of Cognito's NotAuthorizedException, and what they mean to a user.
REFUSALS = (
    ("incorrect username or password", WRONG_PASSWORD),
    ("attempts exceeded", "There were too many wrong passwords: wait some minutes and try again."),
    ("disabled", "The account is disabled: ask whoever invited you."),
    (
        "temporary password",
        "The temporary password has expired: ask for a new one (nlp users add --resend EMAIL).",
    ),
    ("session", "Signing in took longer than the user pool waits: run `nlp login` again."),
)
EXPLANATIONS = {
    "UserNotFoundException": WRONG_PASSWORD,
    "UserNotConfirmedException": "The account is not confirmed yet: confirm it with the code that was sent to its "
    "e-mail address, on the page where you registered, or ask whoever runs this deployment to confirm it.",
    "CodeMismatchException": "The code is wrong: run `nlp login` again.",
    "EnableSoftwareTokenMFAException": "The code is wrong: run `nlp login` again, and check that the clocks of this "
    "machine and of the authenticator are right.",
    "ExpiredCodeException": "The code has expired: run `nlp login --reset-password` for a new one.",
}


class CognitoSignIn:
    """Signs in to a deployment's user pool.

    Parameters
    ----------
    deployment : Deployment
    """

    def __init__(self, deployment: Deployment):
        self._client = deployment.public_client("cognito-idp")
        self._client_id = deployment.output("command_line_client")
        self._pool = deployment.output("user_pool")
        self._api_url = deployment.output("api_url").rstrip("/")

    def sign_in(self, email: str, password: str, questions: Questions) -> Tokens:
        """Sign in with e-mail address and password, asking for whatever else the pool wants.

        The password is proven and not sent (SRP).

        Parameters
        ----------
        email, password : str
            Of the account.
        questions : Questions
            Asks the user.

        Raises
        ------
        CliError
            When the pool refuses.
        """
        try:
            answer = self._start(email, password)
        except ClientError as error:
            if _code(error) != "PasswordResetRequiredException":
                raise _explained(error) from None
            hint("The password has to be reset: a code for that was sent to the account's e-mail address.")
            return self._sign_in_with_new_password(email, questions)
        try:
            while "ChallengeName" in answer:
                answer = self._answered(answer, email, questions)
        except ClientError as error:
            raise _explained(error) from None
        return self._tokens(answer["AuthenticationResult"], email)

    def reset_password(self, email: str, questions: Questions) -> Tokens:
        """Have a code sent to the account's e-mail address, set a new password with it, and sign in.

        Raises
        ------
        CliError
            When the pool refuses.
        """
        try:
            self._client.forgot_password(ClientId=self._client_id, Username=email)
        except ClientError as error:
            raise _explained(error) from None
        hint(f"If there is an account for {email}, a code was sent there.")
        return self._sign_in_with_new_password(email, questions)

    def refresh(self, tokens: Tokens) -> Tokens:
        """Get a new access token, and a new refresh token in place of this one.

        Raises
        ------
        SignInEndedError
            When the refresh token is not valid any more.
        """
        try:
            answer = self._client.get_tokens_from_refresh_token(
                ClientId=tokens.client, RefreshToken=tokens.refresh_token
            )
        except ClientError as error:
            # The pool or its client is gone, or the token: another sign-in helps in all cases.
            if _code(error) in SIGN_IN_ENDED:
                raise SignInEndedError from None
            raise
        # A pool without rotation answers no new refresh token.
        result = {"RefreshToken": tokens.refresh_token, **answer["AuthenticationResult"]}
        return self._tokens(result, tokens.email)

    def revoke(self, tokens: Tokens) -> None:
        """End the validity of a refresh token, and of the access tokens that came by it at Cognito."""
        self._client.revoke_token(Token=tokens.refresh_token, ClientId=tokens.client)

    def _start(self, email: str, password: str) -> Answer:
        return begin_sign_in(self._client, client_id=self._client_id, pool=self._pool, email=email, password=password)

    def _sign_in_with_new_password(self, email: str, questions: Questions) -> Tokens:
        code = questions.text("Code from the e-mail")

        def confirm(password: str) -> str:
            try:
                self._client.confirm_forgot_password(
                    ClientId=self._client_id, Username=email, ConfirmationCode=code, Password=password
                )
            except ClientError as error:
                # A first attempt, whose answer was lost, may have set the password: the sign-in shows that.
                if not (was_repeated(error) and _code(error) in USED_CODE):
                    raise
            return password

        try:
            password = self._new_password(questions, confirm)
        except ClientError as error:
            raise _explained(error) from None
        return self.sign_in(email, password, questions)

    def _answered(self, challenge: Answer, email: str, questions: Questions) -> Answer:
        """Do what a challenge asks for; returns what the pool answers."""
        name, session = challenge["ChallengeName"], challenge["Session"]
        user = challenge.get("ChallengeParameters", {}).get("USER_ID_FOR_SRP", email)

        def respond(session: str = session, **responses: str) -> Answer:
            return self._client.respond_to_auth_challenge(
                ClientId=self._client_id,
                ChallengeName=name,
                Session=session,
                ChallengeResponses={"USERNAME": user, **responses},
            )

        def set_password(password: str) -> Answer:
            try:
                return respond(NEW_PASSWORD=password)
            except ClientError as error:
                # A first attempt, whose answer was lost, may have set the password: the sign-in shows that.
                if not (was_repeated(error) and _code(error) == "NotAuthorizedException"):
                    raise
                return self._start(email, password)

        if name == "NEW_PASSWORD_REQUIRED":
            hint("Choose a password of your own for the account.")
            return self._new_password(questions, set_password)
        if name == "SOFTWARE_TOKEN_MFA":
            return _repeated(questions, lambda: respond(SOFTWARE_TOKEN_MFA_CODE=_digits(questions.text(CODE_PROMPT))))
        if name == "MFA_SETUP":
            return respond(self._set_up_authenticator(session, email, questions))
        raise CliError(
            f"The user pool asks for {name}, which this command cannot do: get a token in another way, "
            "and give it by `nlp login --token-stdin`."
        )

    def _new_password(self, questions: Questions, use: Callable[[str], Any]) -> Any:
        hint("It needs at least 12 characters: lower case, upper case, digits and symbols.")
        return _repeated(questions, lambda: use(questions.secret("New password", new=True)))

    def _set_up_authenticator(self, session: str, email: str, questions: Questions) -> str:
        """Connect an authenticator application with the account; returns the session to go on with."""
        answer = self._client.associate_software_token(Session=session)
        secret, session = answer["SecretCode"], answer["Session"]
        label = quote(f"{ISSUER}:{email}", safe="")
        hint("This account needs a second factor. Put this key into an authenticator application:")
        hint(f"  {secret}")
        hint(f"  otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': ISSUER}, quote_via=quote)}")

        def verify() -> Answer:
            code = _digits(questions.text(CODE_PROMPT))
            return self._client.verify_software_token(Session=session, UserCode=code)

        return _repeated(questions, verify)["Session"]

    def _tokens(self, result: Answer, email: str) -> Tokens:
        return Tokens(
            api_url=self._api_url,
            access_token=result["AccessToken"],
            expires_at=time.time() + result["ExpiresIn"],
            refresh_token=result["RefreshToken"],
            client=self._client_id,
            email=email,
        )


class SignInEndedError(Exception):
    """The refresh token is not valid any more."""


def _repeated(questions: Questions, step: Callable[[], Any]) -> Any:
    """Take a step of the sign-in, again after a wrong answer of the user."""
    for _ in range(ATTEMPTS - 1 if questions.repeats else 0):
        try:
            return step()
        except ClientError as error:
            if _code(error) not in ASKED_AGAIN:
                raise
            hint(_message(error))
    return step()


def _explained(error: ClientError) -> Exception:
    code, message = _code(error), _message(error)
    if code == "NotAuthorizedException":
        for words, meaning in REFUSALS:
            if words in message.lower():
                return CliError(meaning)
    if code in EXPLANATIONS:
        return CliError(EXPLANATIONS[code])
    if code in {"InvalidParameterException", "InvalidPasswordException", "NotAuthorizedException"}:
        return CliError(f"The user pool refuses: {message}")
    return error  # of AWS in general: explained with all others


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _message(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Message", "") or _code(error)


def _digits(code: str) -> str:
    """Take the spaces out of a code that was typed as authenticators show it."""
    return "".join(code.split())
