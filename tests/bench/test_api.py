"""The benchmark of the API: it names the endpoints that it leaves out, and compares like with like."""

from __future__ import annotations

import pytest

from bench.api_endpoints import ENDPOINTS, NOT_MEASURED
from bench.api_load import Latency
from schema.endpoints import ENDPOINTS as DECLARED


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The bare calls by route."""
    names = ("DOCUMENTS_TABLE", "DOCUMENTS_BUCKET", "STATE_MACHINE", "COMPANIES_TABLE", "OBSERVATIONS_TABLE")
    for name in names:
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    from bench.bare.calls import CALLS

    return dict(CALLS)


def test_endpoints_are_measured_once_and_the_others_are_named() -> None:
    measured = [endpoint.route for endpoint in ENDPOINTS]
    assert sorted(measured + NOT_MEASURED) == sorted(endpoint.route for endpoint in DECLARED)


def test_public_endpoints_are_compared_with_a_public_function() -> None:
    public = {endpoint.route for endpoint in DECLARED if endpoint.public}
    assert {endpoint.route for endpoint in ENDPOINTS if endpoint.public} == public - set(NOT_MEASURED)


def test_each_endpoint_that_calls_aws_has_its_bare_calls(calls: dict[str, object]) -> None:
    assert set(calls) == {endpoint.route for endpoint in ENDPOINTS if endpoint.aws_calls}


def test_percentiles_are_those_of_the_turn_in_the_middle() -> None:
    turns = [[factor * number / 1000 for number in range(101)] for factor in (1, 2, 100)]
    assert Latency.of(turns) == Latency(0.1, 0.19, 0.198)
