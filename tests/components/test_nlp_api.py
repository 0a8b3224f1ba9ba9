"""NlpApi: the product's endpoints, and what each of them may do."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from unittest import mock

import pytest

from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.workflow.state_machine import StateMachine
from components.blocks.workflow.states import End
from components.document_store import DocumentStore, DocumentStoreArgs
from components.nlp_api import NlpApi, NlpApiArgs
from components.sentiment_pipeline import SentimentPipeline, SentimentPipelineArgs
from schema.endpoints import ENDPOINTS
from schema.quotas import Quotas
from tests.components.nlp_api_permissions import ANALYSE, EXPECTED, TRANSLATE
from tests.support.iam_linter import Lint
from tests.support.pulumi_mocks import POOL_ID, REGION, ROOT_FOLDER, SUFFIX, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:index:NlpApi"
FUNCTION = "aws:lambda/function:Function"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
POOL = "cloud-nlp:blocks:UserPool"
LAMBDA_API = "cloud-nlp:blocks:LambdaApi"
AUTHORIZER = "aws:apigatewayv2/authorizer:Authorizer"
KINDS = ("analyse", "translate")
# Longest names of https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html, by type.
LONGEST_NAMES = {
    "aws:apigatewayv2/api:Api": 128,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:cognito/userPool:UserPool": 128,
    "aws:cognito/userPoolClient:UserPoolClient": 128,
    "aws:iam/role:Role": 64,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:lambda/permission:Permission": 100,
    FUNCTION: 64,
}


# What tells an endpoint which role it needs, and where tokens name it.
ROLE_VARIABLES = {"REQUIRED_ROLE", "DEFAULT_ROLE", "ROLE_CLAIM", "ROLE_VALUES"}
LONG_NAME = "a" * 20
ORIGINS = ["https://app.example.com"]


def declare(name: str = "nlp", preview: bool = False, alarm_topics: Sequence[str] = (), **arguments: Any) -> Evaluation:
    """The API of a store, a pipeline and two state machines."""
    functions = FunctionDefaults(layers=[], alarm_topics=alarm_topics)

    def build() -> Any:
        api = NlpApi(
            name,
            NlpApiArgs(
                functions=functions,
                store=DocumentStore("store", DocumentStoreArgs(functions=functions)),
                pipeline=SentimentPipeline("news", SentimentPipelineArgs(functions=functions)),
                machines={kind: machine(kind) for kind in KINDS},
                version="1.2.3",
                **arguments,
            ),
        )
        return api.url

    return evaluate(build, preview=preview)


def machine(kind: str) -> StateMachine:
    return StateMachine(kind, reason="Does it", start="Done", states={"Done": End("Is done.")}, timeout_seconds=60)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return declare()


@pytest.fixture(scope="module")
def adapted() -> Evaluation:
    """The same with a name of 20 letters, and with every other argument than the issuer's."""
    users = {"callback_urls": ["https://app.example.com/"], "mfa": "ON", "protect": True, "self_registration": True}
    limits = {"costly_burst": 4, "costly_requests_per_second": 3, "firewall": True, "origins": ORIGINS}
    return declare(LONG_NAME, alarm_topics=["arn:topic"], **users, **limits)


def function_of(evaluation: Evaluation, route: str) -> str:
    """Logical name of the function that answers a route."""
    name = next(one.name for one in evaluation.of(ROUTE) if one.inputs["routeKey"] == route)
    arn = evaluation.one("aws:apigatewayv2/integration:Integration", name).inputs["integrationUri"]
    return next(one.name for one in evaluation.of(FUNCTION) if arn_of(FUNCTION, one.name) == arn)


def test_parts_belong_to_the_api(evaluation: Evaluation) -> None:
    assert evaluation.children(COMPONENT) == {LAMBDA_API: 1}
    assert evaluation.children(LAMBDA_API) == {
        POOL: 1,
        "cloud-nlp:blocks:HttpApi": 1,
        "cloud-nlp:blocks:PythonFunction": len(ENDPOINTS),
    }


def test_routes_are_those_of_the_declared_endpoints(evaluation: Evaluation) -> None:
    routes = {one.inputs["routeKey"] for one in evaluation.of(ROUTE)}
    assert routes == {endpoint.route for endpoint in ENDPOINTS}
    assert EXPECTED.keys() <= routes


def test_every_script_is_an_endpoint(evaluation: Evaluation) -> None:
    scripts = {f"handlers.api.{path.stem}.handler" for path in (ROOT_FOLDER / "handlers" / "api").glob("*.py")}
    answering = {function_of(evaluation, endpoint.route) for endpoint in ENDPOINTS}
    handlers = {one.inputs["handler"] for one in evaluation.of(FUNCTION) if one.name in answering}
    assert handlers == scripts - {"handlers.api.__init__.handler"}


def test_endpoints_are_those_that_the_openapi_document_describes() -> None:
    paths = json.loads((ROOT_FOLDER / "docs" / "openapi.json").read_text())["paths"]
    described = {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if method != "parameters"
    }
    assert described == {f"{endpoint.method} {endpoint.described_path}" for endpoint in ENDPOINTS}


@pytest.mark.parametrize("route", EXPECTED)
def test_endpoint_may_do_what_it_does_and_nothing_else(route: str, evaluation: Evaluation) -> None:
    allowed, variables = EXPECTED[route]
    name = function_of(evaluation, route)
    granted = set()
    for statement in evaluation.document(POLICY, name)["Statement"][2:]:
        conditions = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", "")
        prefixes = conditions if isinstance(conditions, list) else [conditions]
        granted |= {
            f"{action} {resource} {prefix}".rstrip()
            for action in statement["Action"]
            for resource in statement["Resource"]
            for prefix in prefixes
        }
    assert granted == allowed
    public = route in ("GET /health", "GET /openapi.json")
    names = variables | {"LOG_LEVEL"} | (set() if public else ROLE_VARIABLES | {"QUOTAS"})
    assert evaluation.one(FUNCTION, name).inputs["environment"]["variables"].keys() == names


def test_functions_know_the_quotas() -> None:
    evaluation = declare(quotas=Quotas(projects=7), max_characters=5)
    variables = evaluation.one(FUNCTION, function_of(evaluation, "POST /projects/{project}/jobs")).inputs["environment"]
    assert json.loads(variables["variables"]["QUOTAS"])["projects"] == 7
    assert variables["variables"]["MAX_CHARACTERS"] == "5"


def test_the_shared_throttles_are_far_above_what_one_user_may_send(evaluation: Evaluation) -> None:
    stage, quotas = evaluation.one(STAGE).inputs, Quotas()
    assert stage["defaultRouteSettings"]["throttlingRateLimit"] >= 20 * quotas.requests_per_second
    assert {one["throttlingRateLimit"] >= 20 * quotas.costly_requests_per_second for one in stage["routeSettings"]} == {
        True
    }


def test_only_health_and_openapi_are_public(evaluation: Evaluation) -> None:
    public = {one.inputs["routeKey"] for one in evaluation.of(ROUTE) if one.inputs["authorizationType"] == "NONE"}
    assert public == {"GET /health", "GET /openapi.json"}
    assert all(one.inputs.get("authorizerId") for one in evaluation.of(ROUTE) if one.inputs["routeKey"] not in public)


def test_costly_endpoints_have_their_own_rate_limit(adapted: Evaluation) -> None:
    settings = adapted.one(STAGE).inputs["routeSettings"]
    assert {one["routeKey"]: (one["throttlingRateLimit"], one["throttlingBurstLimit"]) for one in settings} == {
        "POST /projects/{project}/jobs": (3, 4),
        "POST /sentiment": (3, 4),
    }


def test_functions_know_the_state_machines_and_the_version(evaluation: Evaluation) -> None:
    def variables(route: str) -> dict[str, str]:
        return evaluation.one(FUNCTION, function_of(evaluation, route)).inputs["environment"]["variables"]

    machines = json.loads(variables("POST /projects/{project}/jobs")["STATE_MACHINES"])
    assert machines == {"analyse": ANALYSE, "translate": TRANSLATE}
    assert variables("GET /health")["VERSION"] == "1.2.3"


@pytest.mark.parametrize(("name", "modules"), [("nlp-projects-list", 10), ("store-withdraw", 4)])
def test_functions_come_with_all_that_they_import(name: str, modules: int, evaluation: Evaluation) -> None:
    bundled = set(evaluation.one(FUNCTION, name).inputs["code"].assets)
    texts = [(ROOT_FOLDER / name).read_text() for name in sorted(bundled)]
    imported = {
        module for text in texts for module in re.findall(r"^ *from (handlers\.[\w.]+) import", text, re.MULTILINE)
    }
    files = {module: module.replace(".", "/") for module in imported}
    assert len(imported) > modules
    assert [name for name, file in files.items() if not {f"{file}.py", f"{file}/__init__.py"} & bundled] == []


def test_pages_of_named_origins_may_call_the_api(adapted: Evaluation) -> None:
    gateway = adapted.one("aws:apigatewayv2/api:Api").inputs
    assert gateway["corsConfiguration"]["allowOrigins"] == ORIGINS


def test_tokens_of_its_own_users_are_accepted(evaluation: Evaluation) -> None:
    assert evaluation.one(AUTHORIZER).inputs["jwtConfiguration"] == {
        "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{POOL_ID}",
        "audiences": [f"nlp-users-command-line{SUFFIX}"],
    }


def test_tokens_of_a_given_issuer_are_accepted_instead() -> None:
    evaluation = declare(issuer="https://login.example.com", audience=["our-client"])
    assert evaluation.of(POOL) == []
    assert evaluation.one(AUTHORIZER).inputs["jwtConfiguration"] == {
        "issuer": "https://login.example.com",
        "audiences": ["our-client"],
    }


@pytest.mark.parametrize("arguments", [{"issuer": "https://login.example.com"}, {"audience": ["our-client"]}])
def test_issuer_and_audience_belong_together(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected both issuer and audience, or none of them"):
        NlpApiArgs(**arguments)


def test_users_sign_in_as_the_arguments_say(adapted: Evaluation) -> None:
    pool = adapted.one("aws:cognito/userPool:UserPool").inputs
    assert (pool["mfaConfiguration"], pool["adminCreateUserConfig"]) == ("ON", {"allowAdminCreateUserOnly": False})
    assert len(adapted.of("aws:cognito/userPoolClient:UserPoolClient")) == 2
    assert len(adapted.of("cloud-nlp:blocks:Firewall")) == 1


@pytest.mark.parametrize("preview", [False, True])
def test_one_statement_makes_the_api_and_its_store(preview: bool, build_layer: mock.Mock) -> None:
    evaluation = evaluate(lambda: NlpApi("nlp").url and None, preview=preview)
    assert evaluation.children(COMPONENT) == {LAMBDA_API: 1, "cloud-nlp:index:DocumentStore": 1}
    assert len(evaluation.of("aws:lambda/layerVersion:LayerVersion")) == build_layer.call_count == 1
    # Companies come with a pipeline, and starting and stopping jobs with state machines.
    missing = {endpoint.route for endpoint in ENDPOINTS if "/companies" in endpoint.path} | {
        "POST /projects/{project}/jobs",
        "DELETE /projects/{project}/jobs/{job}",
    }
    assert {one.inputs["routeKey"] for one in evaluation.of(ROUTE)} == {
        endpoint.route for endpoint in ENDPOINTS
    } - missing


def test_users_are_protected_when_asked_and_only_then(adapted: Evaluation, evaluation: Evaluation) -> None:
    assert {one.name for one in adapted.resources if one.protect} == {f"{LONG_NAME}-users"}
    assert not any(one.protect for one in evaluation.resources)


def test_every_alarm_has_the_topics(adapted: Evaluation) -> None:
    alarms = [one for one in adapted.of("aws:cloudwatch/metricAlarm:MetricAlarm") if LONG_NAME in one.name]
    assert len(alarms) == 2
    assert all(alarm.inputs["alarmActions"] == ["arn:topic"] for alarm in alarms)


def test_names_fit_aws_for_component_names_of_20_letters(adapted: Evaluation) -> None:
    checked = [one for one in adapted.resources if one.type in LONGEST_NAMES and LONG_NAME in one.name]
    assert {one.type for one in checked} == LONGEST_NAMES.keys()
    assert [one.name for one in checked if len(one.name + SUFFIX) > LONGEST_NAMES[one.type]] == []


def test_preview_declares_the_same_resources(evaluation: Evaluation) -> None:
    assert [repr(one) for one in declare(preview=True).resources] == [repr(one) for one in evaluation.resources]


def test_policies_have_no_findings(evaluation: Evaluation, lint: Lint) -> None:
    policies = [one for one in evaluation.of(POLICY) if one.name.startswith("nlp-")]
    assert len(policies) == len(ENDPOINTS)
    assert {policy.name: lint(policy.inputs["policy"]) for policy in policies if lint(policy.inputs["policy"])} == {}
