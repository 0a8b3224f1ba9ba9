"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.batch_jobs import Records, table_of_records
from tests.unit.cli_aws import Product, make_product, running_aws
from tests.unit.iam_linter import Lint, load_linter


@pytest.fixture(scope="package")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an emulator that runs until the last unit test has ended."""
    with running_aws(tmp_path_factory.mktemp("aws")) as endpoint:
        yield endpoint


@pytest.fixture
def records(aws_endpoint: str) -> Iterator[Records]:
    """A table of projects and jobs of its own for each test."""
    with table_of_records(aws_endpoint) as records:
        yield records


@pytest.fixture
def product(aws_endpoint: str, tmp_path: Path) -> Product:
    """A deployment of its own for each test: empty tables and queues."""
    return make_product(aws_endpoint, tmp_path)


@pytest.fixture(scope="session")
def lint() -> Lint:
    """An IAM linter."""
    return load_linter()
