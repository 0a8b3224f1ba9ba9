"""One embedded AWS with the whole program for all integration tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.aws.embedded_aws import EmbeddedAws
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
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
    with EmbeddedAws() as aws:
        yield deploy_to(aws, SETTINGS)


@pytest.fixture
def pipeline(stack: LocalStack) -> Iterator[Pipeline]:
    driver = Pipeline(stack)
    driver.clear()
    yield driver
    driver.clear()


@pytest.fixture(scope="session")
def ann(stack: LocalStack) -> ApiUser:
    """Somebody who is signed in to the HTTP API."""
    return ApiUser(stack, "ann@example.com")


@pytest.fixture(scope="session")
def bob(stack: LocalStack) -> ApiUser:
    """Somebody else."""
    return ApiUser(stack, "bob@example.com")


@pytest.fixture(scope="session")
def backstage(stack: LocalStack) -> Backstage:
    return Backstage(stack)
