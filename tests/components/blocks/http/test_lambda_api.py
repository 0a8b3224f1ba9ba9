"""LambdaApi: routes to functions of their own, sign-in, limits, logs, alarms, and a domain where there is one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.blocks.access.permissions import Permission
from components.blocks.access.user_pool import SignIn
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.http.api_domain import Domain
from components.blocks.http.lambda_api import LambdaApi
from components.blocks.http.routes import JwtIssuer, Route, Throttle
from components.blocks.storage.work_queue import WorkQueue
from tests.support.pulumi_mocks import ACCOUNT, API_ID, POOL_ID, REGION, SUFFIX, Evaluation, arn_of, evaluate, url_of

COMPONENT = "cloud-nlp:blocks:LambdaApi"
HTTP_API = "cloud-nlp:blocks:HttpApi"
API = "aws:apigatewayv2/api:Api"
AUTHORIZER = "aws:apigatewayv2/authorizer:Authorizer"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
PERMISSION = "aws:lambda/permission:Permission"
FUNCTION = "aws:lambda/function:Function"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
DOMAIN = "aws:apigatewayv2/domainName:DomainName"
RECORD = "aws:route53/record:Record"
# Handlers of another program would do as well; these are files that are there.
HEALTH = Route("GET", "/health", handler="handlers/sentiment/dispatch.py", public=True)
WORK = Route(
    "POST",
    "/projects/{project}/work",
    handler="handlers/sentiment/analyse.py",
    permissions=[Permission(["translate:TranslateText"], ["*"], why_any_resource="no resource to name")],
    environment={"LANGUAGE": "de"},
    files={"openapi.json": "docs/openapi.json"},
    timeout_seconds=29,
    memory_mb=1024,
    throttle=Throttle(requests_per_second=2, burst=4),
)
ISSUER = JwtIssuer(issuer="https://login.example.com", audiences=["our-client"])
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/given"


def declare(
    name: str = "api", preview: bool = False, alarm_topics: tuple[str, ...] = (), **arguments: Any
) -> Evaluation:
    functions = FunctionDefaults(layers=[], log_retention_days=7, alarm_topics=alarm_topics)
    given = {"routes": [HEALTH, WORK], "issuer": ISSUER, "functions": functions, **arguments}
    return evaluate(lambda: LambdaApi(name, **given).url, preview=preview)


def test_parts_belong_to_the_api() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {HTTP_API: 1, "cloud-nlp:blocks:PythonFunction": 2}
    assert evaluation.children(HTTP_API) == {
        API: 1,
        AUTHORIZER: 1,
        INTEGRATION: 2,
        ROUTE: 2,
        PERMISSION: 2,
        STAGE: 1,
        LOGS: 1,
        ALARM: 2,
    }


def test_route_is_a_function_with_its_limits_and_environment() -> None:
    function = declare().one(FUNCTION, "api-analyse").inputs
    assert function["handler"] == "handlers.sentiment.analyse.handler"
    assert (function["timeout"], function["memorySize"]) == (29, 1024)
    assert function["environment"]["variables"] == {"LOG_LEVEL": "INFO", "LANGUAGE": "de"}
    assert "openapi.json" in function["code"].assets


def test_function_may_do_what_its_route_says_and_nothing_else() -> None:
    evaluation = declare()
    policies = "aws:iam/rolePolicy:RolePolicy"
    asked = [statement["Action"] for statement in evaluation.document(policies, "api-analyse")["Statement"][2:]]
    assert asked == [["translate:TranslateText"]]
    assert len(evaluation.document(policies, "api-dispatch")["Statement"]) == 2, "more than logging and tracing"
    assert len(evaluation.of("aws:iam/role:Role")) == 2


def test_route_leads_to_its_function_and_wants_a_token() -> None:
    evaluation = declare()
    assert evaluation.one(INTEGRATION, "api-post-projects-project-work").inputs == {
        "apiId": API_ID,
        "integrationType": "AWS_PROXY",
        "integrationUri": arn_of(FUNCTION, "api-analyse"),
        "payloadFormatVersion": "2.0",
        "timeoutMilliseconds": 30_000,
    }
    route = evaluation.one(ROUTE, "api-post-projects-project-work")
    assert route.inputs == {
        "apiId": API_ID,
        "routeKey": "POST /projects/{project}/work",
        "target": f"integrations/api-post-projects-project-work{SUFFIX}",
        "authorizationType": "JWT",
        "authorizerId": f"api{SUFFIX}",
    }
    assert evaluation.one(PERMISSION, "api-post-projects-project-work") in route.depends_on


def test_public_route_wants_none() -> None:
    route = declare().one(ROUTE, "api-get-health").inputs
    assert (route["authorizationType"], route.get("authorizerId")) == ("NONE", None)


def test_only_this_route_may_invoke_the_function() -> None:
    assert declare().one(PERMISSION, "api-post-projects-project-work").inputs == {
        "action": "lambda:InvokeFunction",
        "function": f"api-analyse{SUFFIX}",
        "principal": "apigateway.amazonaws.com",
        "sourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/*/POST/projects/{{project}}/work",
    }


def test_tokens_of_the_issuer_are_accepted() -> None:
    assert declare().one(AUTHORIZER).inputs == {
        "apiId": API_ID,
        "authorizerType": "JWT",
        "identitySources": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": "https://login.example.com", "audiences": ["our-client"]},
    }


def test_without_an_issuer_the_api_has_users_of_its_own() -> None:
    evaluation = declare(issuer=None, sign_in=SignIn(mfa="ON"), protect=True)
    assert evaluation.children(COMPONENT)["cloud-nlp:blocks:UserPool"] == 1
    assert evaluation.one(AUTHORIZER).inputs["jwtConfiguration"] == {
        "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{POOL_ID}",
        "audiences": [f"api-users-command-line{SUFFIX}"],
    }
    assert [one.inputs["mfaConfiguration"] for one in evaluation.resources if one.protect] == ["ON"]


def test_routes_use_resources_by_grants() -> None:
    def build() -> None:
        queue = WorkQueue("work", consumer_timeout_seconds=30)
        route = Route(
            "POST",
            "/work",
            handler="handlers/sentiment/analyse.py",
            uses={"WORK_QUEUE_URL": queue.grant("SendMessage")},
        )
        LambdaApi("api", routes=[route], issuer=ISSUER, functions=FunctionDefaults(layers=[]))

    evaluation = evaluate(build)
    variables = evaluation.one(FUNCTION, "api-analyse").inputs["environment"]["variables"]
    assert variables == {"LOG_LEVEL": "INFO", "WORK_QUEUE_URL": url_of("work")}
    asked = evaluation.document("aws:iam/rolePolicy:RolePolicy", "api-analyse")["Statement"][2:]
    assert [statement["Action"] for statement in asked] == [["sqs:SendMessage"]]


def test_moving_a_handler_renames_no_route() -> None:
    moved = Route("POST", "/projects/{project}/work", handler="handlers/api/health.py")
    for kind in (ROUTE, INTEGRATION, PERMISSION):
        assert [one.name for one in declare(routes=[moved]).of(kind)] == ["api-post-projects-project-work"]


def test_stage_deploys_by_itself_and_throttles_costly_routes_tighter() -> None:
    evaluation = declare(throttle=Throttle(requests_per_second=50, burst=60))
    stage = evaluation.one(STAGE)
    assert (stage.inputs["name"], stage.inputs["autoDeploy"]) == ("$default", True)
    assert stage.inputs["defaultRouteSettings"] == {"throttlingRateLimit": 50, "throttlingBurstLimit": 60}
    assert stage.inputs["routeSettings"] == [
        {"routeKey": "POST /projects/{project}/work", "throttlingRateLimit": 2, "throttlingBurstLimit": 4}
    ]
    assert set(evaluation.of(ROUTE)) <= set(stage.depends_on)


def test_access_log_is_json_without_tokens() -> None:
    evaluation = declare()
    log = evaluation.one(STAGE).inputs["accessLogSettings"]
    fields = json.loads(log["format"])
    assert log["destinationArn"] == arn_of(LOGS, "api")
    assert evaluation.one(LOGS, "api").inputs == {"retentionInDays": 7}
    assert {fields["status"], fields["route"], fields["user"]} == {
        "$context.status",
        "$context.routeKey",
        "$context.authorizer.claims.sub",
    }
    assert all(value.startswith("$context.") and "header" not in value for value in fields.values())


def test_pages_of_named_origins_may_call_it_and_no_others() -> None:
    assert "corsConfiguration" not in declare().one(API).inputs
    assert declare(origins=["https://app.example.com"]).one(API).inputs["corsConfiguration"] == {
        "allowOrigins": ["https://app.example.com"],
        "allowMethods": ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"],
        "allowHeaders": ["authorization", "content-type", "idempotency-key"],
        "exposeHeaders": ["location", "retry-after"],
        "maxAge": 3600,
    }


def test_two_alarms_tell_of_server_errors_and_slowness_for_all_functions() -> None:
    evaluation = declare(alarm_topics=("arn:topic",))
    watched = {
        alarm.name: [alarm.inputs.get(key) for key in ("metricName", "statistic", "extendedStatistic", "threshold")]
        for alarm in evaluation.of(ALARM)
    }
    assert watched == {
        "dev-api-server-errors": ["5xx", "Average", None, 0.01],
        "dev-api-slow": ["Latency", None, "p99", 3000],
    }
    assert all(alarm.inputs["alarmActions"] == ["arn:topic"] for alarm in evaluation.of(ALARM))


def test_address_is_that_of_the_api() -> None:
    evaluation = declare()
    assert evaluation.result == f"https://{API_ID}.execute-api.{REGION}.amazonaws.com"
    assert evaluation.one(API).inputs == {"protocolType": "HTTP", "disableExecuteApiEndpoint": False}


def test_domain_with_a_given_certificate_is_the_only_way_in() -> None:
    evaluation = declare(domain=Domain(host="api.example.com", certificate_arn=CERTIFICATE))
    assert evaluation.result == "https://api.example.com"
    assert evaluation.one(API).inputs["disableExecuteApiEndpoint"] is True
    assert evaluation.children("cloud-nlp:blocks:ApiDomain") == {DOMAIN: 1, "aws:apigatewayv2/apiMapping:ApiMapping": 1}
    assert evaluation.one(DOMAIN).inputs == {
        "domainName": "api.example.com",
        "domainNameConfiguration": {
            "certificateArn": CERTIFICATE,
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
        },
    }
    assert evaluation.one("aws:apigatewayv2/apiMapping:ApiMapping").inputs == {
        "apiId": API_ID,
        "stage": "$default",
        "domainName": "api.example.com",
    }


def test_domain_in_a_hosted_zone_gets_a_certificate_and_records() -> None:
    evaluation = declare(domain=Domain(host="api.example.com", zone_id="Z1"))
    proof, alias = evaluation.one(RECORD, "api-domain-proof").inputs, evaluation.one(RECORD, "api-domain").inputs
    assert evaluation.one("aws:acm/certificate:Certificate").inputs == {
        "domainName": "api.example.com",
        "validationMethod": "DNS",
    }
    assert (proof["zoneId"], proof["records"], proof["type"]) == ("Z1", ["_value.acm-validations.aws."], "CNAME")
    assert (alias["name"], alias["type"], alias["aliases"][0]["zoneId"]) == ("api.example.com", "A", "Z2REGIONAL")
    validated = evaluation.one("aws:acm/certificateValidation:CertificateValidation")
    assert validated in evaluation.one(DOMAIN).depends_on


def test_mistakes_are_told_all_at_once() -> None:
    routes = [
        Route("FETCH", "health", handler="handlers/api/health.py", timeout_seconds=60),
        Route("GET", "/a", handler="handlers/api/a_list.py"),
        Route("GET", "/a", handler="handlers/other/a_list.py"),
        Route("GET", "/a/{b}", handler="handlers/api/b_get.py"),
        Route("GET", "/a/{b+}", handler="handlers/api/b_all.py"),
    ]
    with pytest.raises(ValueError, match="API api has mistakes") as error:
        declare(routes=routes, origins=["*"])
    assert str(error.value).splitlines()[1:] == [
        "  FETCH health: method FETCH; expected one of DELETE, GET, HEAD, PATCH, POST, PUT",
        "  FETCH health: path health; expected it to start with /",
        "  FETCH health: timeout 60 s; expected 1 to 29",
        "  route GET /a: given 2 times",
        "  name get-a-b: given 2 times",
        "  handler a-list: given 2 times",
        "  origins *: expected each origin by its name",
    ]


def test_domain_without_zone_and_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Domain api\.example\.com: expected zone_id or certificate_arn"):
        Domain(host="api.example.com")


@pytest.mark.parametrize("given", [{"zone_id": "Z1"}, {"certificate_arn": CERTIFICATE}])
def test_preview_declares_the_same_resources(given: dict[str, str]) -> None:
    domain = Domain(host="api.example.com", **given)
    preview, real = declare(preview=True, domain=domain), declare(domain=domain)
    assert [repr(one) for one in preview.resources] == [repr(one) for one in real.resources]
