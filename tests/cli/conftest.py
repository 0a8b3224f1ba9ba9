"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli_aws import Product, make_product


@pytest.fixture
def product(aws_endpoint: str, tmp_path: Path) -> Product:
    """A deployment of its own for each test: empty tables and queues."""
    return make_product(aws_endpoint, tmp_path)
