"""Fixtures of the components' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.batch_jobs import Records, table_of_records


@pytest.fixture
def records(aws_endpoint: str) -> Iterator[Records]:
    """A table of projects and jobs of its own for each test."""
    with table_of_records(aws_endpoint) as records:
        yield records
