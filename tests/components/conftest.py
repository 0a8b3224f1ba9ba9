"""Fixtures of the components' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.support.batch_jobs import Records, table_of_records


@pytest.fixture
def records(aws_endpoint: str) -> Iterator[Records]:
    """A table of projects and jobs of its own for each test."""
    with table_of_records(aws_endpoint) as records:
        yield records


@pytest.fixture
def build_layer() -> Iterator[mock.Mock]:
    """Building of the dependency layer, which fetches nothing in unit tests."""
    with mock.patch("components.blocks.compute.layer.build_layer", return_value=Path("layer.zip")) as build_layer:
        yield build_layer
