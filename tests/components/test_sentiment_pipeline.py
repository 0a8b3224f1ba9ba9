"""SentimentPipeline: its parts, how they are wired, and that their names fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from unittest import mock

import pytest

from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.observe.notifications import Notifications
from components.sentiment_pipeline import SentimentPipeline, SentimentPipelineArgs
from tests.support.pulumi_mocks import SUFFIX, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:index:SentimentPipeline"
TABLE = "aws:dynamodb/table:Table"
BUCKET = "aws:s3/bucket:Bucket"
QUEUE = "aws:sqs/queue:Queue"
FUNCTION = "aws:lambda/function:Function"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
# Longest names of https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html, by type.
LONGEST_NAMES = {
    ALARM: 255,
    BUCKET: 63,
    FUNCTION: 64,
    QUEUE: 80,
    RULE: 64,
    TABLE: 255,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    "aws:iam/role:Role": 64,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:lambda/permission:Permission": 100,
    "aws:sns/topic:Topic": 256,
}


def declare(name: str = "sentiment", preview: bool = False, notify: Sequence[str] = (), **arguments: Any) -> Evaluation:
    functions = FunctionDefaults(layers=["arn:layer"], alarm_topics=notify)
    args = SentimentPipelineArgs(functions=functions, **arguments)
    return evaluate(lambda: SentimentPipeline(name, args) and None, preview=preview)


@cache
def by_default() -> Evaluation:
    return declare()


def test_parts_belong_to_the_pipeline() -> None:
    evaluation = by_default()
    assert evaluation.children(COMPONENT) == {
        "cloud-nlp:blocks:Table": 2,
        "cloud-nlp:blocks:PrivateBucket": 1,
        "cloud-nlp:blocks:WorkQueue": 1,
        "cloud-nlp:blocks:PythonFunction": 2,
        RULE: 1,
        TARGET: 1,
        "aws:lambda/permission:Permission": 1,
        MAPPING: 1,
        ALARM: 1,
    }


@pytest.mark.parametrize("preview", [False, True])
def test_one_statement_makes_a_pipeline(preview: bool, build_layer: mock.Mock) -> None:
    evaluation = evaluate(lambda: SentimentPipeline("news") and None, preview=preview)
    assert evaluation.children(COMPONENT)["cloud-nlp:blocks:PythonFunction"] == 2
    assert len(evaluation.of("aws:lambda/layerVersion:LayerVersion")) == build_layer.call_count == 1
    assert not [one for one in evaluation.resources if one.protect]


def test_every_resource_belongs_to_a_component() -> None:
    evaluation = by_default()
    pipeline = evaluation.one(COMPONENT)
    components = [one for one in evaluation.resources if not one.custom]
    assert pipeline.parent is None
    assert all(one.parent in components for one in evaluation.resources if one is not pipeline)
    assert all(one.name.removeprefix("dev-").startswith("sentiment") for one in evaluation.resources)


def test_companies_are_kept_by_name() -> None:
    companies = by_default().one(TABLE, "sentiment-companies").inputs
    assert (companies["hashKey"], companies.get("rangeKey"), companies.get("ttl")) == ("name", None, None)


def test_observations_are_kept_by_company_and_record_until_they_expire() -> None:
    observations = by_default().one(TABLE, "sentiment-observations").inputs
    assert (observations["hashKey"], observations["rangeKey"]) == ("company", "record")
    assert observations["ttl"] == {"attributeName": "expires_at", "enabled": True}


def test_results_expire() -> None:
    lifecycle = declare(result_retention_days=30).one(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    assert lifecycle.inputs["rules"][0]["expiration"] == {"days": 30}


def test_queue_fits_its_consumer() -> None:
    evaluation = declare(analyse_timeout_seconds=50, batch_window_seconds=7, max_receives=3, max_age_seconds=120)
    assert evaluation.one(QUEUE, "sentiment-work").inputs["visibilityTimeoutSeconds"] == 307
    assert evaluation.one(ALARM, "dev-sentiment-work-age").inputs["threshold"] == 120
    assert evaluation.one(FUNCTION, "sentiment-analyse").inputs["timeout"] == 50
    assert evaluation.document(QUEUE, "sentiment-work", "redrivePolicy")["maxReceiveCount"] == 3


@pytest.mark.parametrize(("scheduled", "state"), [(True, "ENABLED"), (False, "DISABLED")])
def test_schedule_starts_runs_where_it_should(scheduled: bool, state: str) -> None:
    assert declare(schedule="rate(1 hour)", scheduled=scheduled).one(RULE).inputs == {
        "description": "Starts runs of the sentiment pipeline",
        "scheduleExpression": "rate(1 hour)",
        "state": state,
    }


def test_schedule_and_nothing_else_may_invoke_dispatch() -> None:
    evaluation = by_default()
    assert evaluation.one("aws:lambda/permission:Permission").inputs == {
        "action": "lambda:InvokeFunction",
        "function": f"sentiment-dispatch{SUFFIX}",
        "principal": "events.amazonaws.com",
        "sourceArn": arn_of(RULE, "sentiment-schedule"),
    }


def test_schedule_invokes_dispatch_once_it_is_allowed_to() -> None:
    evaluation = by_default()
    target = evaluation.one(TARGET)
    assert target.inputs == {
        "rule": f"sentiment-schedule{SUFFIX}",
        "arn": arn_of(FUNCTION, "sentiment-dispatch"),
        "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 10},
    }
    assert evaluation.one("aws:lambda/permission:Permission") in target.depends_on


def test_queue_feeds_analyse_in_batches_of_one_comprehend_call() -> None:
    assert declare(batch_window_seconds=7, analyse_concurrency=4).one(MAPPING).inputs == {
        "eventSourceArn": arn_of(QUEUE, "sentiment-work"),
        "functionName": f"sentiment-analyse{SUFFIX}",
        "batchSize": 25,
        "maximumBatchingWindowInSeconds": 7,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": 4},
    }


def test_dispatch_is_asynchronous_and_told_where_to_read_and_send() -> None:
    evaluation = declare(companies_per_segment=100)
    dispatch = evaluation.one(FUNCTION, "sentiment-dispatch").inputs
    assert (dispatch["handler"], dispatch["timeout"]) == ("handlers.sentiment.dispatch.handler", 300)
    assert dispatch["environment"]["variables"] == {
        "LOG_LEVEL": "INFO",
        "COMPANIES_TABLE": f"sentiment-companies{SUFFIX}",
        "WORK_QUEUE_URL": f"https://sqs.eu-central-1.amazonaws.com/123456789012/sentiment-work{SUFFIX}",
        "SEGMENT_SIZE": "100",
        "STACK": "dev",
    }
    failures = evaluation.one("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig").inputs
    assert failures["functionName"] == f"sentiment-dispatch{SUFFIX}"
    assert failures["destinationConfig"]["onFailure"]["destination"] == arn_of(QUEUE, "sentiment-dispatch-failures")


def test_analyse_is_told_where_to_read_and_write() -> None:
    evaluation = declare(contact="ops@example.com", observation_retention_days=30, retry_seconds=1)
    analyse = evaluation.one(FUNCTION, "sentiment-analyse").inputs
    assert analyse["handler"] == "handlers.sentiment.analyse.handler"
    assert analyse["environment"]["variables"] == {
        "LOG_LEVEL": "INFO",
        "OBSERVATIONS_TABLE": f"sentiment-observations{SUFFIX}",
        "RESULTS_BUCKET": f"sentiment-results{SUFFIX}",
        "WORK_QUEUE_URL": f"https://sqs.eu-central-1.amazonaws.com/123456789012/sentiment-work{SUFFIX}",
        "TEXT_SOURCE_URL": "https://en.wikipedia.org",
        "CONTACT": "ops@example.com",
        "LANGUAGE": "en",
        "RETENTION_DAYS": "30",
        "RETRY_SECONDS": "1",
        "STACK": "dev",
    }


@pytest.mark.parametrize(
    ("language", "given", "expected"),
    [
        ("de", None, "https://de.wikipedia.org"),
        ("zh-TW", None, "https://zh.wikipedia.org"),
        ("de", "http://127.0.0.1:4567", "http://127.0.0.1:4567"),
    ],
)
def test_texts_come_from_wikipedia_in_the_language_by_default(language: str, given: str | None, expected: str) -> None:
    evaluation = declare(language=language, text_source_url=given)
    variables = evaluation.one(FUNCTION, "sentiment-analyse").inputs["environment"]["variables"]
    assert (variables["TEXT_SOURCE_URL"], variables["LANGUAGE"]) == (expected, language)


def test_missing_contact_is_told_to_the_text_source() -> None:
    """An empty variable would read as if there were one; Wikipedia's rules ask for a contact."""
    analyse = by_default().one(FUNCTION, "sentiment-analyse").inputs
    assert analyse["environment"]["variables"]["CONTACT"] == "no contact given"


@pytest.mark.parametrize("protect", [False, True])
def test_all_that_holds_data_is_protected_when_asked_and_only_then(protect: bool) -> None:
    evaluation = declare(protect=protect)
    stateful = [*evaluation.of(TABLE), *evaluation.of(BUCKET)]
    assert len(stateful) == 3
    assert all(one.protect is protect for one in stateful)
    assert not any(one.protect for one in evaluation.resources if one not in stateful)
    assert all(table.inputs["deletionProtectionEnabled"] is protect for table in evaluation.of(TABLE))


def test_every_alarm_tells_who_is_to_be_told() -> None:
    alarms = declare(notify=["arn:topic"]).of(ALARM)
    assert [alarm.name for alarm in alarms] == [
        "dev-sentiment-analyse-errors",
        "dev-sentiment-analyse-throttles",
        "dev-sentiment-dispatch-errors",
        "dev-sentiment-dispatch-failures",
        "dev-sentiment-dispatch-throttles",
        "dev-sentiment-schedule",
        "dev-sentiment-work-age",
        "dev-sentiment-work-dead-letters",
    ]
    assert all(alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == ["arn:topic"] for alarm in alarms)


def test_preview_declares_the_same_resources() -> None:
    def described(evaluation: Evaluation) -> list[str]:
        return [repr(one) for one in evaluation.resources]

    assert described(declare(preview=True)) == described(by_default())


def test_names_fit_aws_for_component_names_of_20_letters() -> None:
    evaluation = declare("a" * 20)
    evaluation.resources.extend(
        evaluate(lambda: Notifications("b" * 20, emails=["you@example.com"]) and None).resources
    )
    checked = [one for one in evaluation.resources if one.type in LONGEST_NAMES]
    assert {one.type for one in checked} == LONGEST_NAMES.keys()
    too_long = [one for one in checked if len(one.name + SUFFIX) > LONGEST_NAMES[one.type]]
    assert too_long == []


def test_a_schedule_that_starts_nothing_is_told() -> None:
    alarm = by_default().one(ALARM, "dev-sentiment-schedule").inputs
    assert (alarm["namespace"], alarm["metricName"], alarm["statistic"]) == ("AWS/Events", "FailedInvocations", "Sum")
    assert list(alarm["dimensions"]) == ["RuleName"]
    assert alarm["threshold"] == 0
