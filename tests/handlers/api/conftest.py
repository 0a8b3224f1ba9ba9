"""Fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.handlers.api.harness import Api, User
from tests.support.cli_aws import running_aws


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API's functions, on an emulator of their own.

    For the whole session: functions are imported once, with clients of this emulator, in whatever order tests run.
    """
    with running_aws(tmp_path_factory.mktemp("aws")) as endpoint:
        yield Api(endpoint)


@pytest.fixture
def ann(api: Api) -> User:
    return api.user()


@pytest.fixture
def bob(api: Api) -> User:
    return api.user()
