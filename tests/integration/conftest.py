"""Embedded AWS for integration tests: one with the product for all of them, one without it per file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.aws.embedded_aws import EmbeddedAws
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
from tests.integration.api_story import Backstage
from tests.integration.harness import Pipeline
from tests.integration.processing import JOB_STATEMENTS, make_bucket, make_role

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


@pytest.fixture(scope="module")
def shared_aws() -> Iterator[EmbeddedAws]:
    """An embedded AWS without the product, with a bucket."""
    with EmbeddedAws() as aws:
        make_bucket(aws)
        yield aws


@pytest.fixture
def aws(shared_aws: EmbeddedAws) -> Iterator[EmbeddedAws]:
    """The same; faults and counts of a test end with it."""
    yield shared_aws
    shared_aws.control.clear()


@pytest.fixture(scope="module")
def job_role(shared_aws: EmbeddedAws) -> str:
    """ARN of a role for processing jobs."""
    return make_role(shared_aws, JOB_STATEMENTS)


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
