"""The whole program, for each stack, as `pulumi up` and `pulumi preview` evaluate it."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from local.resources import archive_bytes
from settings import SettingsError, host_architecture, host_runtime
from tests.unit.pulumi_mocks import SUFFIX, Evaluation, arn_of, evaluate_program, stack_config, url_of

STACKS = ["local", "dev", "prod"]
EXPORTS = {
    "region": "eu-central-1",
    "companies_table": f"sentiment-companies{SUFFIX}",
    "observations_table": f"sentiment-observations{SUFFIX}",
    "results_bucket": f"sentiment-results{SUFFIX}",
    "work_queue_url": url_of("sentiment-work"),
    "dead_letter_queue_url": url_of("sentiment-work-dead"),
    "dispatch_function": f"sentiment-dispatch{SUFFIX}",
    "dispatch_failures_queue_url": url_of("sentiment-dispatch-failures"),
    "analyse_function": f"sentiment-analyse{SUFFIX}",
}
SCHEDULES = {"local": "off", "dev": "rate(1 hour)", "prod": "rate(5 minutes)"}
FUNCTION = "aws:lambda/function:Function"
TOPIC = "aws:sns/topic:Topic"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
STATEFUL = {"aws:dynamodb/table:Table": 2, "aws:s3/bucket:Bucket": 1}
# Inputs that would fix a resource's physical name, and so make it impossible to replace or to deploy twice.
NAME_INPUTS = {"name", "namePrefix", "bucketPrefix", "fifoQueue", "statementId", "targetId", "ruleName", "topicName"}


@pytest.mark.parametrize("stack", STACKS)
def test_stack_exports_what_others_rely_on(stack: str) -> None:
    evaluation = evaluate_program(stack)
    assert evaluation.outputs == {**EXPORTS, "schedule": SCHEDULES[stack]}
    assert evaluation.exports == set(evaluation.outputs)


@pytest.mark.parametrize("stack", STACKS)
def test_preview_needs_nothing_of_aws(stack: str) -> None:
    preview, real = evaluate_program(stack, preview=True), evaluate_program(stack)
    assert [repr(one) for one in preview.resources] == [repr(one) for one in real.resources]
    assert preview.exports == real.exports
    assert ("sentiment-analyse", "policy") in preview.unknown_inputs(), "the preview knew what only AWS can tell"


@pytest.mark.parametrize(("stack", "protected"), [("local", False), ("dev", False), ("prod", True)])
def test_data_is_protected_in_prod_and_removable_elsewhere(stack: str, protected: bool) -> None:
    evaluation = evaluate_program(stack)
    stateful = [one for one in evaluation.resources if one.type in STATEFUL]
    assert len(stateful) == sum(STATEFUL.values())
    assert [one for one in evaluation.resources if one.protect] == (stateful if protected else [])


@pytest.mark.parametrize("stack", STACKS)
def test_nobody_is_notified_unless_named(stack: str) -> None:
    evaluation = evaluate_program(stack)
    assert evaluation.of(TOPIC) == []
    assert {tuple(alarm.inputs["alarmActions"]) for alarm in evaluation.of(ALARM)} == {()}


def test_all_alarms_notify_whom_the_settings_name() -> None:
    evaluation = evaluate_program("prod", {"cloud-nlp:notify_emails": '["you@example.com"]'})
    assert len(evaluation.of("aws:kms/key:Key")) == len(evaluation.of(TOPIC)) == 1
    assert evaluation.one("aws:sns/topicSubscription:TopicSubscription").inputs["endpoint"] == "you@example.com"
    alarms = evaluation.of(ALARM)
    assert len(alarms) == 8
    for alarm in alarms:
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [arn_of(TOPIC, "notifications")]


@pytest.mark.parametrize(
    ("stack", "runtime", "architecture"),
    [("local", host_runtime(), host_architecture()), ("dev", "python3.14", "arm64"), ("prod", "python3.14", "arm64")],
)
def test_functions_and_their_layer_are_of_one_platform(stack: str, runtime: str, architecture: str) -> None:
    evaluation = evaluate_program(stack)
    layer = evaluation.one("aws:lambda/layerVersion:LayerVersion").inputs
    assert (layer["compatibleRuntimes"], layer["compatibleArchitectures"]) == ([runtime], [architecture])
    for function in evaluation.of(FUNCTION):
        assert (function.inputs["runtime"], function.inputs["architectures"]) == (runtime, [architecture])
        assert function.inputs["layers"] == [arn_of("aws:lambda/layerVersion:LayerVersion", "handlers")]


def test_every_setting_reaches_the_resources() -> None:
    functions = {"log_retention_days": 3, "log_level": "ERROR", "tracing": False}
    sentiment = {
        "schedule": "rate(2 days)",
        "language": "de",
        "contact": "me@example.com",
        "analyse_concurrency": 9,
        "companies_per_segment": 11,
        "batch_window_seconds": 12,
        "analyse_timeout_seconds": 13,
        "retry_seconds": 14,
        "max_receives": 15,
        "observation_retention_days": 21,
        "result_retention_days": 17,
    }
    changes = {"cloud-nlp:functions": json.dumps(functions), "cloud-nlp:sentiment": json.dumps(sentiment)}
    evaluation = evaluate_program("dev", changes)
    analyse, dispatch = (evaluation.one(FUNCTION, f"sentiment-{name}").inputs for name in ("analyse", "dispatch"))
    variables = analyse["environment"]["variables"]
    mapping = evaluation.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    lifecycle = evaluation.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs
    assert {group.inputs["retentionInDays"] for group in evaluation.of("aws:cloudwatch/logGroup:LogGroup")} == {3}
    assert variables["LOG_LEVEL"] == dispatch["environment"]["variables"]["LOG_LEVEL"] == "ERROR"
    assert analyse["tracingConfig"] == dispatch["tracingConfig"] == {"mode": "PassThrough"}
    assert evaluation.one("aws:cloudwatch/eventRule:EventRule").inputs["scheduleExpression"] == "rate(2 days)"
    assert (variables["LANGUAGE"], variables["CONTACT"]) == ("de", "me@example.com")
    assert dispatch["environment"]["variables"]["SEGMENT_SIZE"] == "11"
    assert (mapping["maximumBatchingWindowInSeconds"], mapping["scalingConfig"]["maximumConcurrency"]) == (12, 9)
    assert (analyse["timeout"], variables["RETRY_SECONDS"], variables["RETENTION_DAYS"]) == (13, "14", "21")
    redrive = evaluation.document("aws:sqs/queue:Queue", "sentiment-work", "redrivePolicy")
    assert redrive["maxReceiveCount"] == 15
    assert lifecycle["rules"][0]["expiration"]["days"] == 17


@pytest.mark.parametrize("stack", STACKS)
def test_unchanged_project_gives_unchanged_resources(stack: str) -> None:
    assert comparable(evaluate_program(stack)) == comparable(evaluate_program(stack))


@pytest.mark.parametrize("stack", STACKS)
def test_physical_names_are_pulumis(stack: str) -> None:
    evaluation = evaluate_program(stack, {"cloud-nlp:notify_emails": '["you@example.com"]'})
    named = {(one.type, key) for one in evaluation.resources if one.custom for key in one.inputs if key in NAME_INPUTS}
    assert named == set()
    assert "bucket" not in evaluation.one("aws:s3/bucket:Bucket").inputs
    # Lambda has no layers without a name, and keeps versions of one name apart.
    assert evaluation.one("aws:lambda/layerVersion:LayerVersion").inputs["layerName"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_everything_on_aws_is_tagged(stack: str) -> None:
    assert f'{{"tags": {{"project": "cloud-nlp", "stack": "{stack}"}}}}' == stack_config(stack)["aws:defaultTags"]


def test_mistakes_in_settings_stop_the_program_before_any_resource() -> None:
    with pytest.raises(SettingsError) as error:
        evaluate_program("prod", {"cloud-nlp:protect": "perhaps", "cloud-nlp:typo": "1"})
    assert "cloud-nlp:protect: 'perhaps'" in str(error.value)
    assert "cloud-nlp:typo: unknown" in str(error.value)


def comparable(evaluation: Evaluation) -> list[tuple[str, str, Any]]:
    """Resources with their inputs; archives as what is in them."""
    return [
        (one.type, one.name, {key: _content(value) for key, value in one.inputs.items()})
        for one in evaluation.resources
    ]


def _content(value: Any) -> Any:
    if isinstance(value, pulumi.FileArchive):
        return value.path
    return archive_bytes(value) if isinstance(value, pulumi.Archive) else value
