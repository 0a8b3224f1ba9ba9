"""Accounts whose creation was not answered: whether they exist, the pool tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from cli.aws.lost_answers import create_account

REQUEST = {"UserPoolId": "pool-1", "Username": "ann@example.com"}


class UsernameExistsException(ClientError):  # noqa: N818 - boto3's name for it
    """What boto3 makes of such an answer."""


class Pool:
    """Stands in for a client of Cognito."""

    class exceptions:  # noqa: N801 - as boto3 calls it
        UsernameExistsException = UsernameExistsException

    def __init__(self, error: Exception, found: dict[str, Any] | None) -> None:
        self._error = error
        self._found = found

    def admin_create_user(self, **_: Any) -> None:
        raise self._error

    def admin_get_user(self, **_: Any) -> dict[str, Any]:
        if self._found is None:
            raise refused(ClientError, "UserNotFoundException", 400, 0)
        return self._found


def refused(kind: type[ClientError], code: str, status: int, repeated: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": repeated}}
    return kind(answer, "AdminCreateUser")


def account(minutes_ago: float = 0, state: str = "FORCE_CHANGE_PASSWORD") -> dict[str, Any]:
    return {"UserStatus": state, "UserCreateDate": datetime.now(UTC) - timedelta(minutes=minutes_ago)}


EXISTED = refused(UsernameExistsException, "UsernameExistsException", 400, 0)
REPEATED = refused(UsernameExistsException, "UsernameExistsException", 400, 1)
FAILED = refused(ClientError, "InternalErrorException", 500, 4)
TIMED_OUT = ReadTimeoutError(endpoint_url="https://cognito")


@pytest.mark.parametrize("error", [REPEATED, FAILED, TIMED_OUT])
def test_an_account_that_was_created_without_an_answer_is_created(error: Exception) -> None:
    create_account(Pool(error, account()), REQUEST)


@pytest.mark.parametrize("error", [REPEATED, FAILED, TIMED_OUT])
@pytest.mark.parametrize("found", [None, account(minutes_ago=60), account(state="CONFIRMED")])
def test_an_account_that_is_not_there_or_older_is_not(error: Exception, found: dict[str, Any] | None) -> None:
    with pytest.raises(type(error)):
        create_account(Pool(error, found), REQUEST)


@pytest.mark.parametrize("error", [EXISTED, refused(ClientError, "InvalidParameterException", 400, 1)])
def test_a_refusal_stays_one(error: ClientError) -> None:
    with pytest.raises(type(error)):
        create_account(Pool(error, account()), REQUEST)
