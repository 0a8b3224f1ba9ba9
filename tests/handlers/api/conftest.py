"""Fixtures of the API's tests."""

from __future__ import annotations

import pytest

from tests.handlers.api.harness import Api, User


@pytest.fixture(scope="session")
def api(aws_endpoint: str) -> Api:
    """The API's functions, on tables and a bucket of their own.

    For the whole session: functions are imported once, with clients of this emulator, in whatever order tests run.
    """
    return Api(aws_endpoint)


@pytest.fixture
def ann(api: Api) -> User:
    return api.user()


@pytest.fixture
def bob(api: Api) -> User:
    return api.user()
