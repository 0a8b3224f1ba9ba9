"""What a user pool may ask or refuse at a sign-in, as Amazon Cognito words it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_api import Answer, ApiServer, answer, environment_of, running_api

EMAIL = "ann@example.com"
SIGNED_IN = answer(
    {"AuthenticationResult": {"AccessToken": "access-1", "RefreshToken": "refresh-1", "ExpiresIn": 3600}}
)


@pytest.fixture
def cognito(tmp_path: Path) -> Iterator[ApiServer]:
    with running_api(tmp_path) as server:
        yield server


def challenge(name: str, session: str = "session-1", **parameters: str) -> Answer:
    return answer(
        {"ChallengeName": name, "Session": session, "ChallengeParameters": {"USER_ID_FOR_SRP": "id-1", **parameters}}
    )


def refused(code: str, message: str) -> Answer:
    return answer({"__type": code, "message": message}, 400)


def login(cognito: ApiServer, *lines: str, options: tuple[str, ...] = (), code: int = 0) -> Any:
    """Sign in in a terminal, answering with lines."""
    return cognito.product().invoke(
        "login",
        "--email",
        EMAIL,
        *options,
        code=code,
        input="".join(f"{line}\n" for line in lines),
        env={**environment_of(cognito.folder), "NLP_TOKEN": None},
    )


def calls(cognito: ApiServer) -> list[tuple[str, Any]]:
    return [(one.headers["x-amz-target"].rpartition(".")[2], one.json) for one in cognito.requests]


def test_a_second_factor_that_is_not_set_up_yet(cognito: ApiServer) -> None:
    cognito.on(
        "POST",
        "/",
        challenge("MFA_SETUP", MFAS_CAN_SETUP='["SOFTWARE_TOKEN_MFA"]'),
        answer({"SecretCode": "JBSWY3DPEHPK3PXP", "Session": "session-2"}),
        refused("InvalidParameterException", "1 validation error detected: Value at 'userCode' is too short"),
        refused("EnableSoftwareTokenMFAException", "Code mismatch"),
        answer({"Status": "SUCCESS", "Session": "session-3"}),
        SIGNED_IN,
    )
    result = login(cognito, "password", "11", "111111", "222 222")
    assert "  JBSWY3DPEHPK3PXP\n" in result.stderr
    uri = "otpauth://totp/Cloud%20NLP%3Aann%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Cloud%20NLP"
    assert uri in result.stderr
    assert "JBSWY3DPEHPK3PXP" not in result.stdout
    made = calls(cognito)
    assert [name for name, _ in made] == [
        "InitiateAuth",
        "AssociateSoftwareToken",
        "VerifySoftwareToken",
        "VerifySoftwareToken",
        "VerifySoftwareToken",
        "RespondToAuthChallenge",
    ]
    assert made[1][1] == {"Session": "session-1"}
    assert made[4][1] == {"Session": "session-2", "UserCode": "222222"}
    assert made[5][1]["Session"] == "session-3"
    assert made[5][1]["ChallengeResponses"] == {"USERNAME": "id-1"}


def test_a_new_password_and_then_the_second_factor(cognito: ApiServer) -> None:
    policy = "Password did not conform with policy: Password must have symbol characters"
    cognito.on(
        "POST",
        "/",
        challenge("NEW_PASSWORD_REQUIRED", requiredAttributes="[]", userAttributes="{}"),
        refused("InvalidPasswordException", policy),
        challenge("SOFTWARE_TOKEN_MFA", "session-2"),
        SIGNED_IN,
    )
    result = login(
        cognito, "temporary", "Weakpassword1", "Weakpassword1", "Good-password-1", "Good-password-1", "123456"
    )
    assert policy in result.stderr
    responses = [body["ChallengeResponses"] for name, body in calls(cognito) if name == "RespondToAuthChallenge"]
    assert responses == [
        {"USERNAME": "id-1", "NEW_PASSWORD": "Weakpassword1"},
        {"USERNAME": "id-1", "NEW_PASSWORD": "Good-password-1"},
        {"USERNAME": "id-1", "SOFTWARE_TOKEN_MFA_CODE": "123456"},
    ]


def test_what_is_wrong_three_times_ends_the_sign_in(cognito: ApiServer) -> None:
    wrong = refused("CodeMismatchException", "Invalid code received for user")
    cognito.on("POST", "/", challenge("SOFTWARE_TOKEN_MFA"), wrong)
    error = login(cognito, "password", "1", "2", "3", "4", code=1).stderr
    assert error.splitlines()[-1] == "nlp: The code is wrong: run `nlp login` again."
    assert len(cognito.requests) == 4


def test_without_a_terminal_nothing_is_asked_again(cognito: ApiServer) -> None:
    wrong = refused("InvalidPasswordException", "Password not long enough")
    cognito.on("POST", "/", challenge("NEW_PASSWORD_REQUIRED"), wrong, SIGNED_IN)
    error = login(cognito, "temporary", "short", "more", options=("--password-stdin",), code=1).stderr
    assert error.splitlines()[-1] == "nlp: The user pool refuses: Password not long enough"
    assert calls(cognito)[1][1]["ChallengeResponses"]["NEW_PASSWORD"] == "short"


def test_a_password_that_has_to_be_reset(cognito: ApiServer) -> None:
    cognito.on(
        "POST",
        "/",
        refused("PasswordResetRequiredException", "Password reset required for the user"),
        answer({}),
        SIGNED_IN,
    )
    result = login(cognito, "old-password", "654321", "Good-password-1", "Good-password-1")
    assert "a code for that was sent" in result.stderr
    made = calls(cognito)
    assert made[1] == (
        "ConfirmForgotPassword",
        {"ClientId": "client-1", "Username": EMAIL, "ConfirmationCode": "654321", "Password": "Good-password-1"},
    )
    assert made[2][1]["AuthFlow"] == "USER_SRP_AUTH"
    assert set(made[2][1]["AuthParameters"]) == {"USERNAME", "SRP_A"}


def test_a_forgotten_password(cognito: ApiServer) -> None:
    cognito.on("POST", "/", answer({"CodeDeliveryDetails": {}}), answer({}), SIGNED_IN)
    login(cognito, "654321", "Good-password-1", "Good-password-1", options=("--reset-password",))
    assert [name for name, _ in calls(cognito)] == ["ForgotPassword", "ConfirmForgotPassword", "InitiateAuth"]

    cognito.on("POST", "/", answer({}), refused("ExpiredCodeException", "Invalid code provided"))
    lines = ("654321", "Good-password-1", "Good-password-1")
    assert "--reset-password" in login(cognito, *lines, options=("--reset-password",), code=1).stderr


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("NotAuthorizedException", "Incorrect username or password.", "e-mail address or the password is wrong"),
        ("UserNotFoundException", "User does not exist.", "e-mail address or the password is wrong"),
        ("NotAuthorizedException", "Password attempts exceeded", "too many wrong passwords"),
        ("NotAuthorizedException", "User is disabled.", "account is disabled"),
        (
            "NotAuthorizedException",
            "Temporary password has expired and must be reset by an administrator.",
            "nlp users add --resend",
        ),
        ("UserNotConfirmedException", "User is not confirmed.", "not confirmed yet"),
        ("NotAuthorizedException", "Something new.", "The user pool refuses: Something new."),
        ("InvalidParameterException", "USER_SRP_AUTH is not enabled for the client.", "not enabled"),
        ("TooManyRequestsException", "Rate exceeded", "throttled"),
        ("ResourceNotFoundException", "User pool client client-1 does not exist.", "deploy it again"),
    ],
)
def test_refusals_are_one_line(
    cognito: ApiServer, monkeypatch: pytest.MonkeyPatch, code: str, message: str, expected: str
) -> None:
    cognito.on("POST", "/", refused(code, message))
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore waits between its attempts when it is throttled
    last = login(cognito, "password", code=1).stderr.splitlines()[-1]
    assert expected in last
    assert last.startswith("nlp: ")


def test_a_session_that_ends_meanwhile(cognito: ApiServer) -> None:
    ended = refused("NotAuthorizedException", "Invalid session for the user, session is expired.")
    cognito.on("POST", "/", challenge("SOFTWARE_TOKEN_MFA"), ended)
    assert "took longer" in login(cognito, "password", "123456", code=1).stderr


def test_a_challenge_that_is_not_known(cognito: ApiServer) -> None:
    cognito.on("POST", "/", challenge("SMS_MFA"))
    assert "asks for SMS_MFA" in login(cognito, "password", code=1).stderr


def test_passwords_and_tokens_are_not_shown(cognito: ApiServer) -> None:
    cognito.on("POST", "/", challenge("NEW_PASSWORD_REQUIRED"), SIGNED_IN)
    result = login(cognito, "temporary-1", "Good-password-1", "Good-password-1")
    (file,) = (cognito.folder / "state" / "cloud-nlp" / "tokens").iterdir()
    assert json.loads(file.read_text())["refresh_token"] == "refresh-1"
    assert not any(text in result.output for text in ("temporary-1", "Good-password-1", "access-1", "refresh-1"))
