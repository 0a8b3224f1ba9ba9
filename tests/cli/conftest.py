"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from tests.support.cli_api import ApiServer, jwt, running_api
from tests.support.cli_aws import Product, make_product
from tests.support.cli_companies import serve_companies


@pytest.fixture(scope="session", autouse=True)
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have HTTP clients trust one authority: each loads all of its authorities, and no test needs any."""
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----"
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(bundle[bundle.index("-----BEGIN CERTIFICATE-----") : bundle.index(end)] + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(file))
        yield


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
