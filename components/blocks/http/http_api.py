"""HttpApi: an HTTP API of Amazon API Gateway, in front of functions that somebody else has made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission
from components.blocks.compute.python_function import PythonFunction
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.resources import child

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html: integrations end after 30 seconds.
MAX_TIMEOUT_SECONDS = 29
STAGE = "$default"  # the stage whose name is not part of the address
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_MAX_AGE_SECONDS = 3600
_SERVER_ERROR_RATE = 0.01
_SLOW_MILLISECONDS = 3000
_THROTTLED_IN_FIVE_MINUTES = 20
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
_LOGGED = {
    "time": "$context.requestTime",
    "api": "$context.apiId",
    "request": "$context.requestId",
    "route": "$context.routeKey",
    "path": "$context.path",
    "status": "$context.status",
    "user": "$context.authorizer.claims.sub",
    "address": "$context.identity.sourceIp",
    "agent": "$context.identity.userAgent",
    "milliseconds": "$context.responseLatency",
    "function_milliseconds": "$context.integrationLatency",
    "bytes": "$context.responseLength",
    "error": "$context.error.message",
    "sign_in_error": "$context.authorizer.error",
    "function_error": "$context.integrationErrorMessage",
}


@dataclass(frozen=True)
class Throttle:
    """How many requests are let through; API Gateway answers the others with 429.

    Attributes
    ----------
    per_second
        Over time.
    burst
        At once.
    """

    per_second: float
    burst: int


@dataclass(frozen=True)
class Route:
    """An endpoint.

    Attributes
    ----------
    method, path
        Such as `GET` and `/projects/{project}`; `{name+}` takes the rest of the path, slashes included.
    handler
        Path of its file, such as `handlers/api/project_get.py`; the file has a function `handler`.
    allow
        All that it may do, besides logging and tracing.
    environment
        Its environment variables; no secrets.
    public
        Needs no sign-in.
    timeout_seconds, memory_mb
        Its limits.
    throttle
        Where it is to be throttled tighter than the others.
    """

    method: str
    path: str
    handler: str
    allow: Sequence[Permission] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    public: bool = False
    timeout_seconds: int = 15
    memory_mb: int = 512
    throttle: Throttle | None = None

    @property
    def key(self) -> str:
        """What API Gateway calls it."""
        return f"{self.method} {self.path}"

    @property
    def short_name(self) -> str:
        """What its resources' names end in."""
        return self.handler.rpartition("/")[2].removesuffix(".py").replace("_", "-")

    def mistakes(self) -> list[str]:
        """Find what is wrong with it, each with what was expected."""
        found = []
        if self.method not in METHODS:
            found.append(f"{self.key}: method {self.method}; expected one of {', '.join(METHODS)}")
        if not self.path.startswith("/"):
            found.append(f"{self.key}: path {self.path}; expected it to start with /")
        if not 1 <= self.timeout_seconds <= MAX_TIMEOUT_SECONDS:
            found.append(f"{self.key}: timeout {self.timeout_seconds} s; expected 1 to {MAX_TIMEOUT_SECONDS}")
        return found


@dataclass(frozen=True)
class Audience:
    """Whose tokens are good.

    Attributes
    ----------
    issuer
        As tokens name it; its keys are found by OpenID Connect's discovery.
    clients
        Values of the tokens' `aud` or `client_id`.
    """

    issuer: pulumi.Input[str]
    clients: Sequence[pulumi.Input[str]]


class HttpApi(pulumi.ComponentResource):
    """An HTTP API: routes to functions, sign-in by token, throttling, CORS, access logs and alarms.

    Parameters
    ----------
    name
        The API's name starts with it.
    functions
        What answers each route.
    audience
        Whose tokens are good.
    throttle
        Of all routes together that have no throttle of their own.
    origins
        Origins of web pages that may call the API, such as `https://app.example.com`.
    only_by_domain
        Has no address of its own, since a custom domain is in front.
    log_retention_days
        Of the access log.
    alarm_topics
        ARNs of SNS topics that alarms are sent to.

    Attributes
    ----------
    id
        Of the API.
    url
        Its own address.
    stage
        Name of its stage.
    """

    def __init__(
        self,
        name: str,
        *,
        functions: Sequence[tuple[Route, PythonFunction]],
        audience: Audience,
        throttle: Throttle,
        origins: Sequence[str] = (),
        only_by_domain: bool = False,
        log_retention_days: int = 30,
        alarm_topics: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:HttpApi", name, {}, opts)
        api = self._api(name, origins, only_by_domain)
        self.id, self.url = api.id, api.api_endpoint
        authorizer = self._authorizer(name, audience)
        routes = [self._route(name, route, function, api, authorizer) for route, function in functions]
        logs = aws.cloudwatch.LogGroup(name, retention_in_days=log_retention_days, opts=child(self))
        costly = [route for route, _ in functions if route.throttle]
        self.stage = self._stage(name, throttle, costly, logs, routes).name
        self._watch(name, logs, alarm_topics)
        self.register_outputs({"id": self.id, "url": self.url})

    def _api(self, name: str, origins: Sequence[str], only_by_domain: bool) -> aws.apigatewayv2.Api:
        cors = aws.apigatewayv2.ApiCorsConfigurationArgs(
            allow_origins=list(origins),
            allow_methods=list(METHODS),
            allow_headers=["authorization", "content-type", "idempotency-key"],
            expose_headers=["location", "retry-after"],
            max_age=_MAX_AGE_SECONDS,
        )
        return aws.apigatewayv2.Api(
            name,
            protocol_type="HTTP",
            cors_configuration=cors if origins else None,
            disable_execute_api_endpoint=only_by_domain,
            opts=child(self),
        )

    def _authorizer(self, name: str, audience: Audience) -> aws.apigatewayv2.Authorizer:
        return aws.apigatewayv2.Authorizer(
            name,
            api_id=self.id,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=audience.issuer, audiences=list(audience.clients)
            ),
            opts=child(self),
        )

    def _route(
        self,
        api_name: str,
        route: Route,
        function: PythonFunction,
        api: aws.apigatewayv2.Api,
        authorizer: aws.apigatewayv2.Authorizer,
    ) -> aws.apigatewayv2.Route:
        name = f"{api_name}-{route.short_name}"
        permission = aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=function.name,
            principal="apigateway.amazonaws.com",
            # The route of any stage; the default one is the only one.
            source_arn=pulumi.Output.concat(api.execution_arn, f"/*/{route.method}{route.path}"),
            opts=child(self),
        )
        integration = aws.apigatewayv2.Integration(
            name,
            api_id=self.id,
            integration_type="AWS_PROXY",
            integration_uri=function.arn,
            payload_format_version="2.0",
            timeout_milliseconds=(route.timeout_seconds + 1) * 1000,  # the function's own limit comes first
            opts=child(self),
        )
        return aws.apigatewayv2.Route(
            name,
            api_id=self.id,
            route_key=route.key,
            target=pulumi.Output.concat("integrations/", integration.id),
            authorization_type="NONE" if route.public else "JWT",
            authorizer_id=None if route.public else authorizer.id,
            opts=child(self, depends_on=[permission]),
        )

    def _stage(
        self,
        name: str,
        throttle: Throttle,
        costly: Sequence[Route],
        logs: aws.cloudwatch.LogGroup,
        routes: Sequence[aws.apigatewayv2.Route],
    ) -> aws.apigatewayv2.Stage:
        return aws.apigatewayv2.Stage(
            name,
            api_id=self.id,
            name=STAGE,
            auto_deploy=True,
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=throttle.per_second, throttling_burst_limit=throttle.burst
            ),
            route_settings=[
                aws.apigatewayv2.StageRouteSettingArgs(
                    route_key=route.key,
                    throttling_rate_limit=route.throttle.per_second,
                    throttling_burst_limit=route.throttle.burst,
                )
                for route in costly
                if route.throttle
            ],
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=json.dumps(_LOGGED)
            ),
            # API Gateway refuses settings of routes that are not there yet.
            opts=child(self, depends_on=list(routes)),
        )

    def _watch(self, name: str, logs: aws.cloudwatch.LogGroup, alarm_topics: Sequence[pulumi.Input[str]]) -> None:
        dimensions = {"ApiId": self.id, "Stage": STAGE}
        alarm_above(
            f"{name}-server-errors",
            description="Over 1 % of the answers were server errors: see the access log, then the function's log.",
            metric=Metric("AWS/ApiGateway", "5xx", dimensions, "Average"),
            threshold=_SERVER_ERROR_RATE,
            alarm_topics=alarm_topics,
            opts=child(self),
        )
        alarm_above(
            f"{name}-slow",
            description=f"For 15 minutes, 1 % of the requests have taken over {_SLOW_MILLISECONDS // 1000} seconds.",
            metric=Metric("AWS/ApiGateway", "Latency", dimensions, "p99"),
            threshold=_SLOW_MILLISECONDS,
            alarm_topics=alarm_topics,
            opts=child(self),
            periods=3,
        )
        alarm_above(
            f"{name}-throttled",
            description="Requests were refused with 429: a client asks too often, or the limits are too low.",
            metric=self._throttled(name, logs),
            threshold=_THROTTLED_IN_FIVE_MINUTES,
            alarm_topics=alarm_topics,
            opts=child(self),
        )

    def _throttled(self, name: str, logs: aws.cloudwatch.LogGroup) -> Metric:
        """Count answers 429 in the access log: API Gateway's own metric has them among all other client errors."""
        metric = Metric("CloudNLP", "ThrottledRequests", {"Api": self.id}, "Sum")
        aws.cloudwatch.LogMetricFilter(
            f"{name}-throttled",
            log_group_name=logs.name,
            pattern='{ $.status = "429" }',
            metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                namespace=metric.namespace, name=metric.name, value="1", dimensions={"Api": "$.api"}
            ),
            opts=child(self),
        )
        return metric
