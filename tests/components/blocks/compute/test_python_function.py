"""PythonFunction: a Lambda function with its own role, log, alarms and, when asynchronous, a queue of failures."""

from __future__ import annotations

from typing import Any

import pytest

from components.blocks.access.permissions import Permission
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.storage.table import Table
from components.blocks.storage.work_queue import WorkQueue
from tests.support.pulumi_mocks import ACCOUNT, ROOT_FOLDER, SUFFIX, Evaluation, arn_of, evaluate, url_of

COMPONENT = "cloud-nlp:blocks:PythonFunction"
FUNCTION = "aws:lambda/function:Function"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
TABLE = "aws:dynamodb/table:Table"
QUEUE = "aws:sqs/queue:Queue"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
DEFAULTS = FunctionDefaults(layers=["arn:layer"], log_retention_days=7, log_level="DEBUG")
LOGGING = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": [f"{arn_of(LOGS, 'analyse')}:*"],
}
TRACING = {"Effect": "Allow", "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "Resource": ["*"]}


def declare(defaults: FunctionDefaults = DEFAULTS, preview: bool = False, **arguments: Any) -> Evaluation:
    def build() -> list[Any]:
        function = PythonFunction("analyse", handler="handlers/sentiment/analyse.py", defaults=defaults, **arguments)
        return [function.name, function.arn, function.failures_url]

    return evaluate(build, preview=preview)


def statements(evaluation: Evaluation, name: str = "analyse") -> list[dict[str, Any]]:
    return evaluation.document(POLICY, name)["Statement"]


def test_synchronous_function_has_role_log_and_two_alarms() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {FUNCTION: 1, ROLE: 1, POLICY: 1, LOGS: 1, ALARM: 2}
    assert len(evaluation.resources) == 7


def test_asynchronous_function_has_a_queue_of_failures_and_its_alarm_too() -> None:
    evaluation = declare(asynchronous=True, invokes_itself=True)
    assert evaluation.children(COMPONENT) == {
        FUNCTION: 1,
        ROLE: 1,
        POLICY: 2,
        LOGS: 1,
        ALARM: 3,
        QUEUE: 1,
        "aws:sqs/queuePolicy:QueuePolicy": 1,
        INVOKE_CONFIG: 1,
    }
    assert len(evaluation.resources) == 12


def test_function_is_declared_as_its_caller_and_the_stack_say() -> None:
    evaluation = declare(environment={"LANGUAGE": "en"}, timeout_seconds=12, memory_mb=512)
    inputs = dict(evaluation.one(FUNCTION).inputs)
    assert min(inputs.pop("code").assets) == "handlers/__init__.py"
    assert inputs == {
        "runtime": "python3.14",
        "architectures": ["arm64"],
        "handler": "handlers.sentiment.analyse.handler",
        "layers": ["arn:layer"],
        "role": arn_of(ROLE, "analyse"),
        "timeout": 12,
        "memorySize": 512,
        "environment": {"variables": {"LOG_LEVEL": "DEBUG", "LANGUAGE": "en"}},
        "loggingConfig": {
            "logFormat": "JSON",
            "logGroup": f"analyse{SUFFIX}",
            "systemLogLevel": "WARN",
            "applicationLogLevel": "DEBUG",
        },
        "tracingConfig": {"mode": "Active"},
    }


def test_function_waits_for_its_permissions_and_its_log() -> None:
    evaluation = declare()
    function = evaluation.one(FUNCTION)
    assert {evaluation.one(POLICY), evaluation.one(LOGS), evaluation.one(ROLE)} <= set(function.depends_on)


def test_log_is_kept_as_long_as_the_stack_says() -> None:
    assert declare().one(LOGS).inputs == {"retentionInDays": 7}


@pytest.mark.parametrize("reserved", [None, 3])
def test_concurrency_is_reserved_only_when_asked(reserved: int | None) -> None:
    inputs = declare(reserved_concurrency=reserved).one(FUNCTION).inputs
    assert inputs.get("reservedConcurrentExecutions") == reserved


def test_role_is_assumed_by_lambda_for_this_account_alone() -> None:
    assert declare().document(ROLE, key="assumeRolePolicy") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            }
        ],
    }


def test_function_may_log_trace_and_use_what_it_is_granted() -> None:
    allowed = Permission(["sqs:SendMessage"], ["arn:aws:sqs:eu-central-1:123456789012:work"])
    assert statements(declare(permissions=[allowed])) == [
        LOGGING,
        TRACING,
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": list(allowed.resources)},
    ]


def test_a_grant_allows_and_names_its_resource_in_one_act() -> None:
    def build() -> None:
        table, queue = Table("companies", hash_key="name"), WorkQueue("work", consumer_timeout_seconds=30)
        PythonFunction(
            "analyse",
            handler="handlers/sentiment/analyse.py",
            defaults=DEFAULTS,
            uses={
                "COMPANIES_TABLE": [table.grant("Scan"), table.grant("GetItem")],
                "WORK_QUEUE_URL": queue.grant("SendMessage"),
            },
        )

    evaluation = evaluate(build)
    assert evaluation.one(FUNCTION).inputs["environment"]["variables"] == {
        "LOG_LEVEL": "DEBUG",
        "COMPANIES_TABLE": f"companies{SUFFIX}",
        "WORK_QUEUE_URL": url_of("work"),
    }
    assert statements(evaluation)[2:] == [
        {"Effect": "Allow", "Action": ["dynamodb:Scan"], "Resource": [arn_of(TABLE, "companies")]},
        {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": [arn_of(TABLE, "companies")]},
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [arn_of(QUEUE, "work")]},
    ]


def test_a_variable_is_not_given_twice() -> None:
    def build() -> None:
        table = Table("companies", hash_key="name")
        PythonFunction(
            "analyse",
            handler="handlers/sentiment/analyse.py",
            defaults=DEFAULTS,
            uses={"COMPANIES_TABLE": table.grant("Scan")},
            environment={"COMPANIES_TABLE": "other"},
        )

    with pytest.raises(ValueError, match="Function analyse: COMPANIES_TABLE is both in uses and in environment"):
        evaluate(build)


def test_further_files_are_bundled_beside_the_code() -> None:
    assets = declare(files={"openapi.json": "docs/openapi.json"}).one(FUNCTION).inputs["code"].assets
    assert assets["openapi.json"].path == str(ROOT_FOLDER / "docs" / "openapi.json")
    assert "handlers/sentiment/analyse.py" in assets


def test_a_missing_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"No file docs/missing\.json: files are named by their paths"):
        declare(files={"openapi.json": "docs/missing.json"})


def test_without_tracing_there_is_no_permission_for_it() -> None:
    evaluation = declare(FunctionDefaults(layers=[], tracing=False))
    assert statements(evaluation) == [LOGGING]
    assert evaluation.one(FUNCTION).inputs["tracingConfig"] == {"mode": "PassThrough"}


def test_failed_asynchronous_invocations_land_in_an_encrypted_queue() -> None:
    evaluation = declare(asynchronous=True)
    queue = arn_of(QUEUE, "analyse-failures")
    assert evaluation.one(QUEUE, "analyse-failures").inputs == {
        "messageRetentionSeconds": 14 * 86_400,
        "sqsManagedSseEnabled": True,
    }
    assert evaluation.one(INVOKE_CONFIG).inputs == {
        "functionName": f"analyse{SUFFIX}",
        "maximumRetryAttempts": 2,
        "maximumEventAgeInSeconds": 3600,
        "destinationConfig": {"onFailure": {"destination": queue}},
    }
    assert statements(evaluation) == [
        LOGGING,
        TRACING,
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [queue]},
    ]


def test_function_that_invokes_itself_may_invoke_nothing_else() -> None:
    evaluation = declare(invokes_itself=True)
    assert evaluation.one(POLICY, "analyse-itself").inputs["role"] == f"analyse{SUFFIX}"
    assert statements(evaluation, "analyse-itself") == [
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [arn_of(FUNCTION, "analyse")]}
    ]


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "statistic", "dimensions"),
    [
        ("dev-analyse-errors", "AWS/Lambda", "Errors", "Sum", {"FunctionName": f"analyse{SUFFIX}"}),
        ("dev-analyse-throttles", "AWS/Lambda", "Throttles", "Sum", {"FunctionName": f"analyse{SUFFIX}"}),
        (
            "dev-analyse-failures",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "Maximum",
            {"QueueName": f"analyse-failures{SUFFIX}"},
        ),
    ],
)
def test_alarms_watch_errors_throttles_and_failures(
    name: str, namespace: str, metric: str, statistic: str, dimensions: dict[str, str]
) -> None:
    defaults = FunctionDefaults(layers=[], alarm_topics=["arn:topic"])
    alarm = declare(defaults, asynchronous=True).one(ALARM, name).inputs
    assert (alarm["namespace"], alarm["metricName"], alarm["statistic"]) == (namespace, metric, statistic)
    assert (alarm["dimensions"], alarm["threshold"]) == (dimensions, 0)
    assert alarm["alarmActions"] == ["arn:topic"]


def test_function_whose_caller_is_watched_has_no_alarms() -> None:
    assert declare(watched_by_caller=True).of(ALARM) == []


@pytest.mark.parametrize("asynchronous", [False, True])
def test_attributes_are_the_functions(asynchronous: bool) -> None:
    assert declare(asynchronous=asynchronous).result == [
        f"analyse{SUFFIX}",
        arn_of(FUNCTION, "analyse"),
        url_of("analyse-failures") if asynchronous else None,
    ]


def test_preview_declares_the_same_resources() -> None:
    def described(evaluation: Evaluation) -> list[str]:
        return [repr(one) for one in evaluation.resources]

    preview = declare(preview=True, asynchronous=True, invokes_itself=True)
    assert described(preview) == described(declare(asynchronous=True, invokes_itself=True))


def test_missing_handler_is_named_with_the_expected_form() -> None:
    with pytest.raises(FileNotFoundError, match=r"No module handlers/nowhere/lost\.py.*<package>/<folder>/<file>\.py"):
        evaluate(lambda: PythonFunction("lost", handler="handlers/nowhere/lost.py", defaults=DEFAULTS) and None)
