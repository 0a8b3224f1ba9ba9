"""Throttling and routes of the embedded API Gateway."""

from __future__ import annotations

import pytest
from ministack.services import apigateway

from local.aws.api_gateway import TokenBucket, path_parameters, throttling


def test_a_bucket_lets_a_burst_through_and_then_a_rate() -> None:
    now = [100.0]
    bucket = TokenBucket(rate=2, burst=3, clock=lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] += 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] += 1000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_a_routes_own_settings_come_before_the_stages() -> None:
    stage = {
        "defaultRouteSettings": {"throttlingRateLimit": 100.0, "throttlingBurstLimit": 200},
        "routeSettings": {"POST /jobs": {"throttlingRateLimit": 1.0, "throttlingBurstLimit": 5}},
    }
    assert throttling(stage, "GET /jobs") == (100, 200)
    assert throttling(stage, "POST /jobs") == (1, 5)
    assert throttling({}, "GET /jobs") is None
    assert throttling({"defaultRouteSettings": {"throttlingRateLimit": 1}}, "GET /jobs") is None


@pytest.mark.parametrize("route", ["/", "/a", "/a.c", "/a/{b}", "/{a}/{b}/c", "/a/{b+}", "/{a}-{b}", "/{proxy+}"])
@pytest.mark.parametrize(
    "path", ["/", "/a", "/abc", "/a.c", "/a/", "/a/1", "/a/1/c", "/a/1/2/3", "/a-b", "/a/%2F\n", ""]
)
def test_paths_belong_to_routes_as_they_do_for_ministack(route: str, path: str) -> None:
    assert path_parameters(route, path) == apigateway._extract_path_params(route, path)
