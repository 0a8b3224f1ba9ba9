"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli_api import ApiServer, jwt, running_api
from tests.support.cli_aws import Product, make_product
from tests.support.cli_companies import serve_companies


@pytest.fixture
def product(aws_endpoint: str, tmp_path: Path) -> Product:
    """A deployment of its own for each test: empty tables and queues."""
    return make_product(aws_endpoint, tmp_path)


@pytest.fixture
def companies_api(product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """The API's endpoints of companies on the deployment's tables, for somebody who is signed in."""
    monkeypatch.setenv("NLP_TOKEN", jwt())
    with running_api(tmp_path) as server:
        serve_companies(server, product)
        yield server
