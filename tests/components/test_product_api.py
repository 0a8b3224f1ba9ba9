"""ProductApi: the product's table, bucket, kinds of jobs and endpoints, and what each endpoint may do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from components.batch_job_workflow import JobSchedule
from components.blocks.access.user_pool import SignIn
from components.blocks.compute.python_function import FunctionDefaults
from components.blocks.http.http_api import Throttle
from components.blocks.observe.notifications import Notifications
from components.blocks.storage.table import Table
from components.product_api import KINDS, JobDefaults, ProductApi, ProductApiArgs
from tests.support.iam_linter import Lint
from tests.support.pulumi_mocks import ROOT_FOLDER, SUFFIX, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:index:ProductApi"
FUNCTION = "aws:lambda/function:Function"
POLICY = "aws:iam/rolePolicy:RolePolicy"
TABLE = "aws:dynamodb/table:Table"
MACHINE = "aws:sfn/stateMachine:StateMachine"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
IMAGE = "763104351884.dkr.ecr.eu-central-1.amazonaws.com/huggingface-pytorch-inference:1"
T = arn_of(TABLE, "product-documents")
C, O = arn_of(TABLE, "companies"), arn_of(TABLE, "observations")  # noqa: E741 - short, as T and B are
B = f"arn:aws:s3:::product-files{SUFFIX}"
ANALYSE, TRANSLATE = arn_of(MACHINE, "product-analyse"), arn_of(MACHINE, "product-translate")
ANALYSE_EXECUTIONS, TRANSLATE_EXECUTIONS = (
    f"{machine.replace(':stateMachine:', ':execution:')}:*" for machine in (ANALYSE, TRANSLATE)
)
DOCUMENTS, RESULTS = "projects/*/documents/*", "projects/*/jobs/*/results/*"
LIST_DOCUMENTS, LIST_RESULTS = f"s3:ListBucket {B} {DOCUMENTS}", f"s3:ListBucket {B} {RESULTS}"
# For each endpoint: what it may do besides logging and tracing, and its environment.
ENDPOINTS: dict[str, tuple[set[str], set[str]]] = {
    "GET /health": (set(), {"VERSION"}),
    "GET /openapi.json": (set(), set()),
    "GET /projects": ({f"dynamodb:Query {T}/index/by-user", f"dynamodb:BatchGetItem {T}"}, {"DOCUMENTS_TABLE"}),
    "POST /projects": ({f"dynamodb:PutItem {T}"}, {"DOCUMENTS_TABLE"}),
    "GET /projects/{project}": ({f"dynamodb:GetItem {T}"}, {"DOCUMENTS_TABLE"}),
    "PATCH /projects/{project}": (
        {f"dynamodb:{action} {T}" for action in ("GetItem", "UpdateItem", "PutItem", "DeleteItem")},
        {"DOCUMENTS_TABLE"},
    ),
    "DELETE /projects/{project}": (
        {f"dynamodb:{action} {T}" for action in ("UpdateItem", "ConditionCheckItem")},
        {"DOCUMENTS_TABLE"},
    ),
    "GET /projects/{project}/documents": (
        {f"dynamodb:GetItem {T}", f"dynamodb:Query {T}", LIST_DOCUMENTS},
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "POST /projects/{project}/documents": (
        {f"dynamodb:GetItem {T}", f"dynamodb:PutItem {T}", f"s3:PutObject {B}/{DOCUMENTS}"},
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "DELETE /projects/{project}/documents/{document}": (
        {f"dynamodb:BatchGetItem {T}", f"dynamodb:DeleteItem {T}", f"s3:DeleteObject {B}/{DOCUMENTS}"},
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "GET /projects/{project}/jobs": (
        {f"dynamodb:GetItem {T}", f"dynamodb:Query {T}", f"dynamodb:Query {T}/index/by-status"},
        {"DOCUMENTS_TABLE"},
    ),
    "POST /projects/{project}/jobs": (
        {
            *(
                f"dynamodb:{action} {T}"
                for action in ("GetItem", "ConditionCheckItem", "PutItem", "UpdateItem", "DeleteItem")
            ),
            LIST_DOCUMENTS,
            f"s3:ListBucket {B} models/*",
            f"states:StartExecution {ANALYSE}",
            f"states:StartExecution {TRANSLATE}",
            f"states:DescribeExecution {ANALYSE_EXECUTIONS}",
            f"states:DescribeExecution {TRANSLATE_EXECUTIONS}",
        },
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET", "STATE_MACHINES", "ISOLATED_TRANSLATION"},
    ),
    "GET /projects/{project}/jobs/{job}": ({f"dynamodb:BatchGetItem {T}"}, {"DOCUMENTS_TABLE"}),
    "DELETE /projects/{project}/jobs/{job}": (
        {
            *(f"dynamodb:{action} {T}" for action in ("BatchGetItem", "UpdateItem", "DeleteItem")),
            f"states:StopExecution {ANALYSE_EXECUTIONS}",
            f"states:StopExecution {TRANSLATE_EXECUTIONS}",
        },
        {"DOCUMENTS_TABLE"},
    ),
    "GET /projects/{project}/jobs/{job}/results": (
        {f"dynamodb:BatchGetItem {T}", LIST_RESULTS, f"s3:GetObject {B}/{RESULTS}"},
        {"DOCUMENTS_TABLE", "DOCUMENTS_BUCKET"},
    ),
    "GET /companies": (
        {f"dynamodb:Scan {C}", f"dynamodb:BatchGetItem {O}"},
        {"COMPANIES_TABLE", "OBSERVATIONS_TABLE"},
    ),
    "POST /companies": (
        {f"dynamodb:{action} {C}" for action in ("BatchGetItem", "PutItem", "UpdateItem", "DeleteItem")},
        {"COMPANIES_TABLE"},
    ),
    "GET /companies/{name+}": (
        {f"dynamodb:GetItem {C}", f"dynamodb:Query {O}"},
        {"COMPANIES_TABLE", "OBSERVATIONS_TABLE"},
    ),
    "PUT /companies/{name+}": ({f"dynamodb:UpdateItem {C}"}, {"COMPANIES_TABLE"}),
    "DELETE /companies/{name+}": ({f"dynamodb:DeleteItem {C}"}, {"COMPANIES_TABLE"}),
    "POST /sentiment": ({"comprehend:BatchDetectSentiment *", f"dynamodb:PutItem {T}"}, {"DOCUMENTS_TABLE"}),
}
# Longest names of https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html, by type.
LONGEST_NAMES = {
    "aws:apigatewayv2/api:Api": 128,
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:cognito/userPool:UserPool": 128,
    "aws:cognito/userPoolClient:UserPoolClient": 128,
    "aws:iam/role:Role": 64,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:lambda/permission:Permission": 100,
    "aws:s3/bucket:Bucket": 63,
    FUNCTION: 64,
    MACHINE: 80,
    TABLE: 255,
}


def declare(name: str = "product", preview: bool = False, **arguments: Any) -> Evaluation:
    schedules = arguments.pop("schedules", {})

    def build() -> Any:
        product = ProductApi(
            name,
            ProductApiArgs(
                functions=FunctionDefaults("python3.14", "arm64", notify=arguments.pop("notify", ())),
                companies=Table("companies", "name"),
                observations=Table("observations", "company", "record"),
                jobs=JobDefaults(IMAGE, instance_count=2, schedules=schedules),
                version="1.2.3",
                announce=Notifications("told", ["you@example.com"]),
                **arguments,
            ),
        )
        return product.api.url

    return evaluate(build, preview=preview)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return declare()


def function_of(evaluation: Evaluation, route: str) -> str:
    """Name of the function that answers a route."""
    return next(one.name for one in evaluation.of(ROUTE) if one.inputs["routeKey"] == route)


def test_parts_belong_to_the_product(evaluation: Evaluation) -> None:
    assert evaluation.children(COMPONENT) == {
        "cloud-nlp:blocks:Table": 1,
        "cloud-nlp:blocks:PrivateBucket": 1,
        "cloud-nlp:blocks:PythonFunction": 1,
        "cloud-nlp:blocks:BatchProgram": 1,
        "cloud-nlp:index:BatchJobWorkflow": len(KINDS),
        "cloud-nlp:index:NlpApi": 1,
    }


def test_table_is_found_by_user_and_by_status_and_forgets(evaluation: Evaluation) -> None:
    table = evaluation.one(TABLE, "product-documents").inputs
    indexes = {
        index["name"]: ([key["attributeName"] for key in index["keySchemas"]], index["projectionType"])
        for index in table["globalSecondaryIndexes"]
    }
    assert (table["hashKey"], table["rangeKey"], table["ttl"]["attributeName"]) == ("pk", "sk", "expires_at")
    assert indexes == {
        "by-user": (["user", "project"], "ALL"),
        "by-status": (["project_status", "job"], "ALL"),
    }


def test_endpoints_are_those_that_are_told_here(evaluation: Evaluation) -> None:
    assert {one.inputs["routeKey"] for one in evaluation.of(ROUTE)} == ENDPOINTS.keys()


def test_every_script_is_an_endpoint(evaluation: Evaluation) -> None:
    scripts = {f"handlers.api.{path.stem}.handler" for path in (ROOT_FOLDER / "handlers" / "api").glob("*.py")}
    answering = {function_of(evaluation, route) for route in ENDPOINTS}
    handlers = {one.inputs["handler"] for one in evaluation.of(FUNCTION) if one.name in answering}
    assert handlers == scripts - {"handlers.api.__init__.handler"}


def test_endpoints_are_those_that_the_openapi_document_describes() -> None:
    paths = json.loads((ROOT_FOLDER / "docs" / "openapi.json").read_text())["paths"]
    described = {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if method != "parameters"
    }
    assert described == {key.replace("+}", "}") for key in ENDPOINTS}


@pytest.mark.parametrize("route", ENDPOINTS)
def test_endpoint_may_do_what_it_does_and_nothing_else(route: str, evaluation: Evaluation) -> None:
    allowed, told = ENDPOINTS[route]
    name = function_of(evaluation, route)
    given = set()
    for statement in evaluation.document(POLICY, name)["Statement"][2:]:
        conditions = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", "")
        prefixes = conditions if isinstance(conditions, list) else [conditions]
        given |= {
            f"{action} {resource} {prefix}".rstrip()
            for action in statement["Action"]
            for resource in statement["Resource"]
            for prefix in prefixes
        }
    assert given == allowed
    assert evaluation.one(FUNCTION, name).inputs["environment"]["variables"].keys() == told | {"LOG_LEVEL"}


def test_only_health_and_openapi_are_public(evaluation: Evaluation) -> None:
    public = {one.inputs["routeKey"] for one in evaluation.of(ROUTE) if one.inputs["authorizationType"] == "NONE"}
    assert public == {"GET /health", "GET /openapi.json"}
    assert all(one.inputs.get("authorizerId") for one in evaluation.of(ROUTE) if one.inputs["routeKey"] not in public)


def test_what_is_paid_for_is_throttled_tighter() -> None:
    evaluation = declare(costly_throttle=Throttle(per_second=3, burst=4))
    settings = evaluation.one(STAGE).inputs["routeSettings"]
    assert {one["routeKey"]: (one["throttlingRateLimit"], one["throttlingBurstLimit"]) for one in settings} == {
        "POST /projects/{project}/jobs": (3, 4),
        "POST /sentiment": (3, 4),
    }


def test_functions_are_told_the_state_machines_and_the_version(evaluation: Evaluation) -> None:
    def variables(route: str) -> dict[str, str]:
        return evaluation.one(FUNCTION, function_of(evaluation, route)).inputs["environment"]["variables"]

    machines = json.loads(variables("POST /projects/{project}/jobs")["STATE_MACHINES"])
    assert machines == {"analyse": ANALYSE, "translate": TRANSLATE}
    assert variables("GET /health")["VERSION"] == "1.2.3"


def test_late_uploads_are_withdrawn(evaluation: Evaluation) -> None:
    withdraw = evaluation.one(FUNCTION, "product-withdraw")
    assert withdraw.inputs["handler"] == "handlers.uploads.withdraw.handler"
    assert withdraw.inputs["environment"]["variables"] == {
        "DOCUMENTS_TABLE": f"product-documents{SUFFIX}",
        "LOG_LEVEL": "INFO",
    }
    [told] = evaluation.one("aws:s3/bucketNotification:BucketNotification").inputs["lambdaFunctions"]
    assert told == {
        "lambdaFunctionArn": arn_of(FUNCTION, "product-withdraw"),
        "events": ["s3:ObjectCreated:Post"],
        "filterPrefix": "projects/",
    }
    statements = evaluation.document(POLICY, "product-withdraw")["Statement"][2:]
    assert [(one["Action"], one["Resource"]) for one in statements] == [
        (["sqs:SendMessage"], [arn_of("aws:sqs/queue:Queue", "product-withdraw-failures")]),
        (["dynamodb:GetItem"], [T]),
        (["s3:DeleteObject"], [f"{B}/{DOCUMENTS}"]),
    ]


@pytest.mark.parametrize(("name", "modules"), [("product-api-projects-list", 10), ("product-withdraw", 5)])
def test_functions_come_with_all_that_they_import(name: str, modules: int, evaluation: Evaluation) -> None:
    bundled = set(evaluation.one(FUNCTION, name).inputs["code"].assets)
    texts = [(ROOT_FOLDER / name).read_text() for name in sorted(bundled)]
    imported = {
        module for text in texts for module in re.findall(r"^ *from (handlers\.[\w.]+) import", text, re.MULTILINE)
    }
    files = {module: module.replace(".", "/") for module in imported}
    assert len(imported) > modules
    assert [name for name, file in files.items() if not {f"{file}.py", f"{file}/__init__.py"} & bundled] == []


def test_kinds_of_jobs_call_what_they_need(evaluation: Evaluation) -> None:
    for kind, actions in KINDS.items():
        statements = evaluation.document(POLICY, f"product-{kind}-job")["Statement"]
        assert statements[-1] == {"Effect": "Allow", "Action": sorted(actions), "Resource": ["*"]}
    models = [json.dumps(evaluation.document(POLICY, f"product-{kind}-job")).count("models/") for kind in sorted(KINDS)]
    assert models[0] == 0, "analyse reads models"
    assert models[1] > 0


def test_job_starts_by_schedule_where_there_is_one() -> None:
    evaluation = declare(schedules={"analyse": [JobSchedule("weekly", "rate(7 days)", "p1")]})
    assert [one.name for one in evaluation.of("aws:cloudwatch/eventRule:EventRule")] == ["product-analyse-weekly"]


def test_web_application_may_call_the_api_and_post_documents() -> None:
    origins = ["https://app.example.com"]
    evaluation = declare(origins=origins, sign_in=SignIn(callback_urls=["https://app.example.com/"]))
    rules = evaluation.one("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration").inputs["corsRules"]
    assert evaluation.one("aws:apigatewayv2/api:Api").inputs["corsConfiguration"]["allowOrigins"] == origins
    assert [rule["allowedOrigins"] for rule in rules] == [origins]


@pytest.mark.parametrize("protect", [False, True])
def test_all_that_holds_data_is_protected_when_asked_and_only_then(protect: bool) -> None:
    protected = {one.name for one in declare(protect=protect).resources if one.protect}
    assert protected == ({"product-api-users", "product-documents", "product-files"} if protect else set())


def test_every_alarm_tells_who_is_to_be_told() -> None:
    alarms = declare(notify=["arn:topic"]).of("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert len(alarms) == 2 * len(ENDPOINTS) + 3 * len(KINDS) + 3 + 3
    assert all(alarm.inputs["alarmActions"] == ["arn:topic"] for alarm in alarms)


def test_names_fit_aws_for_component_names_of_20_letters() -> None:
    evaluation = declare("a" * 20, schedules={"translate": [JobSchedule("nightly", "rate(1 day)", "p1")]})
    checked = [one for one in evaluation.resources if one.type in LONGEST_NAMES]
    assert {one.type for one in checked} == LONGEST_NAMES.keys()
    assert [one.name for one in checked if len(one.name + SUFFIX) > LONGEST_NAMES[one.type]] == []


def test_preview_declares_the_same_resources(evaluation: Evaluation) -> None:
    assert [repr(one) for one in declare(preview=True).resources] == [repr(one) for one in evaluation.resources]


def test_policies_have_no_findings(lint: Lint) -> None:
    evaluation = declare(schedules={"translate": [JobSchedule("nightly", "rate(1 day)", "p1")]})
    policies = evaluation.of(POLICY)
    assert len(policies) == len(ENDPOINTS) + 2 * len(KINDS) + 1 + 1
    assert {policy.name: lint(policy.inputs["policy"]) for policy in policies if lint(policy.inputs["policy"])} == {}


def test_actions_are_named_and_resources_too_unless_aws_has_none(evaluation: Evaluation) -> None:
    on_any_resource = set()
    for policy in evaluation.of(POLICY):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            assert not [action for action in statement["Action"] if "*" in action or "?" in action]
            if "*" in statement["Resource"]:
                on_any_resource |= set(statement["Action"])
    assert {action for action in on_any_resource if action.partition(":")[0] not in ("logs", "xray")} == {
        "cloudwatch:PutMetricData",
        "comprehend:BatchDetectDominantLanguage",
        "comprehend:BatchDetectKeyPhrases",
        "comprehend:BatchDetectSentiment",
        "ecr:GetAuthorizationToken",
        "translate:TranslateText",
    }
