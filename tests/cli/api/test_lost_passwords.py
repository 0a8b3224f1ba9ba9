"""New passwords whose setting was not answered: the sign-in that follows shows whether they were set."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from cli.api.cognito import CognitoSignIn
from cli.ui.errors import CliError

EMAIL = "ann@example.com"
CHALLENGE = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "session-1"}
SIGNED_IN = {"AuthenticationResult": {"AccessToken": "access-1"}}


class Questions:
    """Answers every question."""

    repeats = False

    def text(self, _: str) -> str:
        return "123456"

    def secret(self, _: str, *, new: bool = False) -> str:
        return "A-new-password-1" if new else ""


def refused(code: str, repeated: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "Refused."},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": repeated},
    }
    return ClientError(answer, "SetPassword")


@pytest.fixture
def sign_in() -> CognitoSignIn:
    made = object.__new__(CognitoSignIn)
    made._client, made._client_id = Mock(), "client-1"
    vars(made)["_start"] = Mock(return_value=SIGNED_IN)
    vars(made)["_tokens"] = Mock(side_effect=lambda result, _: result)
    return made


def test_a_first_password_that_was_set_without_an_answer_is_used(sign_in: CognitoSignIn) -> None:
    sign_in._client.respond_to_auth_challenge.side_effect = refused("NotAuthorizedException", repeated=1)
    assert sign_in._answered(CHALLENGE, EMAIL, Questions()) == SIGNED_IN  # pyright: ignore[reportArgumentType]
    vars(sign_in)["_start"].assert_called_once_with(EMAIL, "A-new-password-1")


@pytest.mark.parametrize("code", ["ExpiredCodeException", "CodeMismatchException"])
def test_a_reset_password_that_was_set_without_an_answer_is_used(sign_in: CognitoSignIn, code: str) -> None:
    sign_in._client.confirm_forgot_password.side_effect = refused(code, repeated=2)
    found = sign_in._sign_in_with_new_password(EMAIL, Questions())  # pyright: ignore[reportArgumentType]
    assert found == SIGNED_IN["AuthenticationResult"]


@pytest.mark.parametrize(("code", "repeated"), [("ExpiredCodeException", 0), ("InvalidPasswordException", 1)])
def test_what_is_refused_stays_refused(sign_in: CognitoSignIn, code: str, repeated: int) -> None:
    sign_in._client.confirm_forgot_password.side_effect = refused(code, repeated)
    with pytest.raises(CliError):
        sign_in._sign_in_with_new_password(EMAIL, Questions())  # pyright: ignore[reportArgumentType]
    vars(sign_in)["_start"].assert_not_called()
