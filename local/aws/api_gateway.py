"""Differences between ministack's HTTP APIs and those of API Gateway.

- ``/health`` belongs to the API. Ministack answers that path itself, on every host.
- A stage's throttling of routes is enforced: one token bucket per route, status 429 when it is empty.
- A function is invoked only if its policy allows the API's route to do so; status 500 otherwise, as on AWS.
- The answer to a refused token has the header ``WWW-Authenticate: Bearer``.
- The pattern of a route's path is compiled once. Ministack compiles all of an API's patterns three times per request.

API Gateway's own quotas (10,000 requests per second and account, 10 MB per request) are not enforced.
"""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from local.aws.emulator import replace, require

Response = tuple[int, dict[str, str], bytes]
PRINCIPAL = "apigateway.amazonaws.com"


class TokenBucket:
    """Limits requests to a rate, with bursts.

    Parameters
    ----------
    rate
        Requests per second.
    burst
        Requests at once.
    clock
        Returns the time in seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = (rate, burst)
        self._clock = clock
        self._tokens = burst
        self._filled_at = clock()

    def take(self) -> bool:
        """Take a token for one request; False if the request has to be refused."""
        rate, burst = self.limits
        now = self._clock()
        self._tokens = min(burst, self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def install() -> None:
    """Change ministack's HTTP APIs. Has to run after `ministack.app` is imported."""
    from ministack import app
    from ministack.services import apigateway, lambda_svc

    require(apigateway, "_match_route(api_id, method, path)", "_stages")
    require(apigateway, "_extract_lambda_ref_from_integration_uri(uri)")
    require(lambda_svc, "_get_func_record_for_ref_in_scope(function_ref, account_id, region)")
    replace(app, "_HEALTH_PATHS", lambda paths: tuple(path for path in paths if path != "/health"))
    replace(apigateway, "_extract_path_params(route_path, request_path)", lambda _: path_parameters)
    replace(
        apigateway,
        "_handle_execute_in_scope(api_id, stage, path, method, headers, body, query_params, owner_account_id, "
        "owner_region, raw_query_string)",
        _executing_with,
    )
    replace(
        apigateway,
        "_invoke_lambda_proxy(integration, api_id, stage, path, method, headers, body, query_params, route_key, "
        "path_params, authorizer_claims, authorizer_scopes, authorizer_lambda_context, authorizer_iam, "
        "owner_account_id, owner_region, raw_query_string)",
        _invoking_with,
    )


def path_parameters(route_path: str, request_path: str) -> dict[str, str] | None:
    """Return the values of a route's path parameters, None if the path does not match the route.

    Parameters
    ----------
    route_path
        Path of the route, such as ``/projects/{project}``; a parameter whose name ends with ``+`` may contain slashes.
    request_path
        Path of the request.
    """
    pattern, names = _route_pattern(route_path)
    found = pattern.fullmatch(request_path)
    return dict(zip(names, found.groups(), strict=True)) if found else None


@functools.cache
def _route_pattern(route_path: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    parts = re.split(r"\{([^}]+)\}", route_path)  # literal text and parameter names in turn
    literals, names = map(re.escape, parts[::2]), parts[1::2]
    groups = ["(.+)" if name.endswith("+") else "([^/]+)" for name in names]
    pattern = "".join(part for pair in zip(literals, [*groups, ""], strict=True) for part in pair)
    return re.compile(pattern), tuple(name.removesuffix("+") for name in names)


def throttling(stage: dict[str, Any], route_key: str) -> tuple[float, float] | None:
    """Return the rate and burst limits that a stage sets for a route, None if it sets none.

    Parameters
    ----------
    stage
        Stage as API Gateway describes it.
    route_key
        Key of the route, such as ``GET /projects``.
    """
    settings = {**(stage.get("defaultRouteSettings") or {}), **(stage.get("routeSettings") or {}).get(route_key, {})}
    rate, burst = settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")
    if rate is None or burst is None:
        return None  # AWS accepts both or neither
    return float(rate), float(burst)


def _executing_with(execute: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    buckets: dict[tuple[str, str, str], TokenBucket] = {}

    def is_throttled(api_id: str, stage_name: str, method: str, path: str) -> bool:
        from ministack.services import apigateway

        route = apigateway._match_route(api_id, method, "/" + path.lstrip("/"))
        stage = apigateway._stages.get(api_id, {}).get(stage_name)
        limits = throttling(stage, route["routeKey"]) if route and stage else None
        if limits is None or route is None:
            return False
        key = (api_id, stage_name, route["routeKey"])
        bucket = buckets.get(key)
        if bucket is None or bucket.limits != limits:
            bucket = buckets[key] = TokenBucket(*limits)
        return not bucket.take()

    async def handle_execute(api_id: str, stage: str, path: str, method: str, *rest: Any) -> Response:
        if method != "OPTIONS" and is_throttled(api_id, stage, method, path):
            return _json(429, "Too Many Requests")
        status, headers, body = await execute(api_id, stage, path, method, *rest)
        if status == 401 and body == b'{"message": "Unauthorized"}':
            headers = {**headers, "WWW-Authenticate": "Bearer"}
        return status, headers, body

    return handle_execute


def _invoking_with(invoke: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def invoke_lambda_proxy(
        integration: dict[str, Any],
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
        route_key: str = "$default",
        *rest: Any,
        **named: Any,
    ) -> Response:
        if not may_invoke(integration, api_id, stage, method, route_key):
            return _json(500, "Internal Server Error")
        return await invoke(integration, api_id, stage, path, method, headers, body, query, route_key, *rest, **named)

    return invoke_lambda_proxy


def may_invoke(integration: dict[str, Any], api_id: str, stage: str, method: str, route_key: str) -> bool:
    """Tell whether a function's policy allows a route of an API to invoke it.

    Parameters
    ----------
    integration
        Integration of the route.
    api_id, stage, method, route_key
        The request's API, stage, method and route.
    """
    from ministack.core.arn import execute_api_arn
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import apigateway, lambda_svc

    function = apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
    account, region = get_account_id(), get_region()
    record, _, name = lambda_svc._get_func_record_for_ref_in_scope(function, account_id=account, region=region)
    if record is None:
        return True  # ministack answers that the function does not exist
    route_path = route_key.partition(" ")[2] or "/$default"
    context = EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=f"arn:aws:lambda:{region}:{account}:function:{name}",
        region=region,
        service_context={
            "aws:sourcearn": execute_api_arn(region, account, api_id, stage, method, route_path),
            "aws:sourceaccount": account,
        },
    )
    return evaluate_resource_policy(record.get("policy"), context, service=PRINCIPAL).decision == "Allow"


def _json(status: int, message: str) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()
