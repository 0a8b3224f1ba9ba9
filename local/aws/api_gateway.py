"""Where ministack's HTTP APIs differ from API Gateway's, made the same.

- ``/health`` of an API is the API's own. Ministack answers that path itself, on every host.
- The throttling that a stage sets for its routes is kept: a token bucket for each route, 429 when it is empty.
- A function is invoked only when its policy lets the API's route do so; 500 otherwise, as on AWS.
- A refused token is answered with ``WWW-Authenticate: Bearer``.
- Paths of routes are compiled once. Ministack puts together all of an API's three times for each request.

API Gateway's own quotas (10,000 requests a second for an account, 10 MB for a request) are not kept.
"""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

Response = tuple[int, dict[str, str], bytes]
PRINCIPAL = "apigateway.amazonaws.com"


class TokenBucket:
    """Lets requests through at a rate, and a burst of them at once.

    Parameters
    ----------
    rate
        Requests a second.
    burst
        Requests at once.
    clock
        Gives the time in seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = (rate, burst)
        self._clock = clock
        self._tokens = burst
        self._filled_at = clock()

    def take(self) -> bool:
        """Let one request through; False when it has to be refused."""
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
    from ministack.services import apigateway

    app._HEALTH_PATHS = tuple(path for path in app._HEALTH_PATHS if path != "/health")
    gateway: Any = apigateway
    gateway._handle_execute_in_scope = _executing_with(apigateway._handle_execute_in_scope)
    gateway._extract_path_params = path_parameters
    gateway._invoke_lambda_proxy = _invoking_with(apigateway._invoke_lambda_proxy)


def path_parameters(route_path: str, request_path: str) -> dict[str, str] | None:
    """Return what stands in a path where its route has names, None when it is not a path of the route.

    Parameters
    ----------
    route_path
        Path of the route, such as ``/projects/{project}``; a name that ends with ``+`` takes slashes, too.
    request_path
        Path of the request.
    """
    pattern, names = _route_pattern(route_path)
    found = pattern.fullmatch(request_path)
    return dict(zip(names, found.groups(), strict=True)) if found else None


@functools.cache
def _route_pattern(route_path: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    parts = re.split(r"\{([^}]+)\}", route_path)  # what stands between names, and names, in turn
    literals, names = map(re.escape, parts[::2]), parts[1::2]
    groups = ["(.+)" if name.endswith("+") else "([^/]+)" for name in names]
    pattern = "".join(part for pair in zip(literals, [*groups, ""], strict=True) for part in pair)
    return re.compile(pattern), tuple(name.removesuffix("+") for name in names)


def throttling(stage: dict[str, Any], route_key: str) -> tuple[float, float] | None:
    """Return rate and burst that a stage sets for a route, None when it sets none.

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
        return None  # AWS takes both or none
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
    """Say whether a function's own policy lets a route of an API invoke it.

    Parameters
    ----------
    integration
        Integration of the route.
    api_id, stage, method, route_key
        Which request it is.
    """
    from ministack.core.arn import execute_api_arn
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import apigateway, lambda_svc

    function = apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
    account, region = get_account_id(), get_region()
    record, _, name = lambda_svc._get_func_record_for_ref_in_scope(function, account_id=account, region=region)
    if record is None:
        return True  # ministack says that there is no such function
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
