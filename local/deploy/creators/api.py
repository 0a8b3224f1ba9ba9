"""Creators of HTTP APIs of API Gateway.

An API's endpoint is an address on the loopback interface, as the usual ``<api>.execute-api.<domain>`` would have to be
resolved by a name server.
"""

from __future__ import annotations

from typing import Any

from local.aws.embedded_aws import ACCOUNT_ID
from local.deploy.creators.common import Context, Created, Creator, Inputs, only, parts, spelled


def _api(context: Context, inputs: Inputs) -> Created:
    gateway = context.client("apigatewayv2")
    settings = parts(
        inputs,
        "corsConfiguration",
        "description",
        "disableExecuteApiEndpoint",
        "protocolType",
        "routeSelectionExpression",
        "version",
    )
    api = gateway.create_api(Name=context.unique, **settings)["ApiId"]
    return api, {
        "name": context.unique,
        "apiEndpoint": f"{gateway.meta.endpoint_url}/_aws/execute-api/{api}",
        "arn": f"arn:aws:apigateway:{gateway.meta.region_name}::/apis/{api}",
        "executionArn": f"arn:aws:execute-api:{gateway.meta.region_name}:{ACCOUNT_ID}:{api}",
    }


def _authorizer(context: Context, inputs: Inputs) -> Created:
    jwt = inputs.get("jwtConfiguration")
    made = context.client("apigatewayv2").create_authorizer(
        Name=context.unique,
        IdentitySource=list(inputs.get("identitySources") or []),
        **parts(inputs, "apiId", "authorizerType", "authorizerUri", "authorizerPayloadFormatVersion"),
        **({"JwtConfiguration": only(jwt, issuer="Issuer", audiences="Audience")} if jwt else {}),
    )
    return made["AuthorizerId"], {"name": context.unique}


def _integration(context: Context, inputs: Inputs) -> Created:
    made = context.client("apigatewayv2").create_integration(
        **parts(
            inputs,
            "apiId",
            "description",
            "integrationMethod",
            "integrationType",
            "integrationUri",
            "payloadFormatVersion",
            "timeoutMilliseconds",
            timeoutMilliseconds="TimeoutInMillis",
        )
    )
    return made["IntegrationId"], {}


def _route(context: Context, inputs: Inputs) -> Created:
    names = ("apiId", "authorizationScopes", "authorizationType", "authorizerId", "operationName", "routeKey", "target")
    return context.client("apigatewayv2").create_route(**parts(inputs, *names))["RouteId"], {}


def _stage(context: Context, inputs: Inputs) -> Created:
    name = inputs.get("name") or context.unique
    routes = {route["routeKey"]: _route_settings(route) for route in inputs.get("routeSettings") or []}
    gateway = context.client("apigatewayv2")
    gateway.create_stage(
        StageName=name,
        **parts(inputs, "apiId", "autoDeploy", "description"),
        **only(inputs, stageVariables="StageVariables"),
        **_given(
            AccessLogSettings=spelled(inputs.get("accessLogSettings")),
            DefaultRouteSettings=_route_settings(inputs.get("defaultRouteSettings") or {}),
            RouteSettings=routes,
        ),
    )
    # The default stage's name is not part of the address.
    suffix = "" if name == "$default" else f"/{name}"
    base = f"{gateway.meta.endpoint_url}/_aws/execute-api/{inputs['apiId']}"
    return name, {"name": name, "invokeUrl": f"{base}{suffix}"}


def _route_settings(settings: Inputs) -> dict[str, Any]:
    made = parts(settings, "detailedMetricsEnabled", "throttlingBurstLimit")
    if settings.get("throttlingRateLimit") is not None:
        made["ThrottlingRateLimit"] = float(settings["throttlingRateLimit"])
    return made


def _domain_name(context: Context, inputs: Inputs) -> Created:
    configuration = inputs["domainNameConfiguration"]
    made = context.client("apigatewayv2").create_domain_name(
        DomainName=inputs["domainName"],
        DomainNameConfigurations=[parts(configuration, "certificateArn", "endpointType", "securityPolicy")],
    )["DomainNameConfigurations"][0]
    outputs = {"targetDomainName": made["ApiGatewayDomainName"], "hostedZoneId": made["HostedZoneId"]}
    return inputs["domainName"], {"domainNameConfiguration": {**configuration, **outputs}}


def _api_mapping(context: Context, inputs: Inputs) -> Created:
    made = context.client("apigatewayv2").create_api_mapping(
        **parts(inputs, "apiId", "apiMappingKey", "domainName", "stage")
    )
    return made["ApiMappingId"], {}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


CREATORS: dict[str, Creator] = {
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/apiMapping:ApiMapping": _api_mapping,
    "aws:apigatewayv2/authorizer:Authorizer": _authorizer,
    "aws:apigatewayv2/domainName:DomainName": _domain_name,
    "aws:apigatewayv2/integration:Integration": _integration,
    "aws:apigatewayv2/route:Route": _route,
    "aws:apigatewayv2/stage:Stage": _stage,
}
