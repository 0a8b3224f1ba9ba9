"""Embedded AWS without the product, one per file; the one with the product is in `tests/product.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.aws.embedded_aws import EmbeddedAws
from tests.integration.processing import JOB_STATEMENTS, make_bucket, make_role


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
