"""HttpApi: an HTTP API of Amazon API Gateway, in front of functions that are there."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.blocks.compute.python_function import PythonFunction
from components.blocks.http.routes import METHODS, JwtIssuer, Route, Throttle
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.resources import child

STAGE = "$default"  # the stage whose name is not part of the address
_MAX_AGE_SECONDS = 3600
_SERVER_ERROR_RATE = 0.01
_SLOW_MILLISECONDS = 3000
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


class HttpApi(pulumi.ComponentResource):
    """An HTTP API: routes to functions, sign-in by token, throttling, CORS, access logs and alarms.

    Parameters
    ----------
    name
        Logical name; the API's physical name starts with it.
    functions
        Routes, each with the function that answers it.
    issuer
        Issuer of the accepted tokens.
    throttle
        Rate limit shared by all routes without one of their own.
    origins
        Origins of web pages that may call the API, such as `https://app.example.com`.
    only_by_domain
        Disable the API's own address, because a custom domain replaces it.
    log_retention_days
        Days that the access log is kept.
    alarm_topics
        ARNs of SNS topics that alarms are sent to.

    Attributes
    ----------
    id
        Id of the API.
    url
        The API's own address.
    stage
        Name of its stage.
    """

    def __init__(
        self,
        name: str,
        *,
        functions: Sequence[tuple[Route, PythonFunction]],
        issuer: JwtIssuer,
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
        authorizer = self._authorizer(name, issuer)
        routes = [self._route(name, route, function, api, authorizer) for route, function in functions]
        logs = aws.cloudwatch.LogGroup(name, retention_in_days=log_retention_days, opts=child(self))
        costly = [route for route, _ in functions if route.throttle]
        self.stage = self._stage(name, throttle, costly, logs, routes).name
        self._watch(name, alarm_topics)
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

    def _authorizer(self, name: str, issuer: JwtIssuer) -> aws.apigatewayv2.Authorizer:
        return aws.apigatewayv2.Authorizer(
            name,
            api_id=self.id,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=issuer.issuer, audiences=list(issuer.audiences)
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
        name = f"{api_name}-{route.resource_name}"
        # Routes were once named after the handler's file. The alias keeps them: API Gateway refuses a second route with
        # the same key, so a replacement could not be created first.
        renamed = [pulumi.Alias(name=f"{api_name}-{route.function_name}")]
        permission = aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=function.name,
            principal="apigateway.amazonaws.com",
            # The route of any stage; the default one is the only one.
            source_arn=pulumi.Output.concat(api.execution_arn, f"/*/{route.method}{route.path}"),
            opts=child(self, aliases=renamed),
        )
        integration = aws.apigatewayv2.Integration(
            name,
            api_id=self.id,
            integration_type="AWS_PROXY",
            integration_uri=function.arn,
            payload_format_version="2.0",
            timeout_milliseconds=(route.timeout_seconds + 1) * 1000,  # the function's own limit comes first
            opts=child(self, aliases=renamed),
        )
        return aws.apigatewayv2.Route(
            name,
            api_id=self.id,
            route_key=route.key,
            target=pulumi.Output.concat("integrations/", integration.id),
            authorization_type="NONE" if route.public else "JWT",
            authorizer_id=None if route.public else authorizer.id,
            opts=child(self, aliases=renamed, depends_on=[permission]),
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
                throttling_rate_limit=throttle.requests_per_second, throttling_burst_limit=throttle.burst
            ),
            route_settings=[
                aws.apigatewayv2.StageRouteSettingArgs(
                    route_key=route.key,
                    throttling_rate_limit=route.throttle.requests_per_second,
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

    def _watch(self, name: str, alarm_topics: Sequence[pulumi.Input[str]]) -> None:
        # No alarm counts answers 429: they are the client's to mend, and of many, API Gateway logs only some.
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
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
