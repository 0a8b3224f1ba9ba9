"""Calls whose answer was lost after they took effect: looking before they are called failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# How far the clocks of this machine and of AWS may be apart.
CLOCK_MARGIN = timedelta(minutes=5)
# State of an account that was invited and has not signed in yet.
INVITED = "FORCE_CHANGE_PASSWORD"


def was_repeated(error: ClientError) -> bool:
    """Tell whether a call that was refused had been sent before: its first attempt may have done what it was to do."""
    return error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


def create_account(cognito: Any, request: dict[str, Any]) -> None:
    """Create an account of a user pool, which sends the invitation.

    Parameters
    ----------
    cognito : boto3 client
        Of `cognito-idp`.
    request : dict
        Arguments of AdminCreateUser.

    Raises
    ------
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        When the account was not created.
    """
    started = datetime.now(UTC) - CLOCK_MARGIN
    try:
        cognito.admin_create_user(**request)
    except ClientError as error:
        exists = isinstance(error, cognito.exceptions.UsernameExistsException)
        is_lost = was_repeated(error) if exists else _is_unclear(error)
        if not (is_lost and _is_invited(cognito, request, started)):
            raise
    except BotoCoreError:
        if not _is_invited(cognito, request, started):
            raise


def _is_unclear(error: ClientError) -> bool:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500


def _is_invited(cognito: Any, request: dict[str, Any], since: datetime) -> bool:
    """Look whether the account was created since a time, and waits for its first sign-in."""
    try:
        found = cognito.admin_get_user(UserPoolId=request["UserPoolId"], Username=request["Username"])
    except (ClientError, BotoCoreError):
        return False
    return found["UserStatus"] == INVITED and found["UserCreateDate"] >= since
