"""The product on an embedded AWS: one deployment per process, for all tests that drive it from outside.

A plugin of pytest. Heavy imports are in the fixtures, as unit tests do not need them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.demo.api_client import ApiUser
    from local.deploy.stack import LocalStack
    from tests.integration.api_story import Backstage
    from tests.integration.harness import Pipeline

# Short times, so that what fails comes back while the test is looking.
SETTINGS = {
    "sentiment": {
        "analyse_timeout_seconds": 5,
        "batch_window_seconds": 1,
        "companies_per_segment": 2000,
        "max_receives": 3,
        "retry_seconds": 1,
    }
}


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The deployed product."""
    from local.aws.embedded_aws import EmbeddedAws
    from local.deploy.stack import deploy_to

    with EmbeddedAws() as aws:
        yield deploy_to(aws, SETTINGS)


@pytest.fixture
def pipeline(stack: LocalStack) -> Iterator[Pipeline]:
    """Its sentiment pipeline, empty before and after the test."""
    from tests.integration.harness import Pipeline

    driver = Pipeline(stack)
    driver.clear()
    yield driver
    driver.clear()


@pytest.fixture(scope="session")
def ann(stack: LocalStack) -> ApiUser:
    """Somebody who is signed in to the HTTP API, as an editor."""
    from local.demo.api_client import ApiUser

    return ApiUser(stack, "ann@example.com")


@pytest.fixture(scope="session")
def bob(stack: LocalStack) -> ApiUser:
    """Somebody else."""
    from local.demo.api_client import ApiUser

    return ApiUser(stack, "bob@example.com")


@pytest.fixture(scope="session")
def rita(stack: LocalStack) -> ApiUser:
    """Somebody who may only read."""
    from local.demo.api_client import ApiUser

    return ApiUser(stack, "rita@example.com", "reader")


@pytest.fixture(scope="session")
def adam(stack: LocalStack) -> ApiUser:
    """An administrator."""
    from local.demo.api_client import ApiUser

    return ApiUser(stack, "adam@example.com", "admin")


@pytest.fixture(scope="session")
def backstage(stack: LocalStack) -> Backstage:
    """What operators see of the product."""
    from tests.integration.api_story import Backstage

    return Backstage(stack)
