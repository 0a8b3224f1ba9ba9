"""The whole program, for each stack, as `pulumi up` and `pulumi preview` evaluate it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pulumi
import pytest

from local.deploy.creators.common import archive_bytes
from settings import SettingsError, host_architecture, host_runtime
from tests.support.program_settings import EVERYTHING
from tests.support.pulumi_mocks import (
    API_ID,
    POOL_ID,
    REGION,
    ROOT_FOLDER,
    SUFFIX,
    Evaluation,
    arn_of,
    evaluate_program,
    evaluate_program_anew,
    stack_config,
    url_of,
)

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
    "api_url": f"https://{API_ID}.execute-api.{REGION}.amazonaws.com",
    "documents_table": f"product-documents{SUFFIX}",
    "documents_bucket": f"product-files{SUFFIX}",
    "state_machines": {
        kind: arn_of("aws:sfn/stateMachine:StateMachine", f"product-{kind}") for kind in ("analyse", "translate")
    },
    "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{POOL_ID}",
    "user_pool": POOL_ID,
    "command_line_client": f"product-api-users-command-line{SUFFIX}",
    "sign_in_domain": "nlp-abcdefghi",
}
# The local stack has a web application's client; elsewhere, its addresses are not known before there is one.
WEB_CLIENTS = {"local": f"product-api-users-web{SUFFIX}", "dev": "", "prod": ""}
COMPANIES_THAT_FIT = {"local": "", "dev": "10800", "prod": "900"}
VERSION = tomllib.loads((ROOT_FOLDER / "pyproject.toml").read_text())["project"]["version"]
SCHEDULES = {"local": "off", "dev": "rate(1 hour)", "prod": "rate(5 minutes)"}
FUNCTION = "aws:lambda/function:Function"
TOPIC = "aws:sns/topic:Topic"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
STATEFUL = {"aws:dynamodb/table:Table": 4, "aws:s3/bucket:Bucket": 2, "aws:cognito/userPool:UserPool": 1}
MACHINE = "aws:sfn/stateMachine:StateMachine"
RULE = "aws:cloudwatch/eventRule:EventRule"
GROUP = "aws:cognito/userGroup:UserGroup"
STAGE = "aws:apigatewayv2/stage:Stage"
RECORD = "aws:route53/record:Record"
# Inputs that would fix a resource's physical name, and so make it impossible to replace or to deploy twice.
NAME_INPUTS = {"name", "namePrefix", "bucketPrefix", "fifoQueue", "statementId", "targetId", "ruleName", "topicName"}


@pytest.mark.parametrize("stack", STACKS)
def test_stack_exports_what_others_rely_on(stack: str) -> None:
    evaluation = evaluate_program(stack)
    assert evaluation.outputs == {
        **EXPORTS,
        "schedule": SCHEDULES[stack],
        "companies_that_fit": COMPANIES_THAT_FIT[stack],
        "web_client": WEB_CLIENTS[stack],
    }
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
    evaluation = evaluate_program("prod", EVERYTHING)
    assert len(evaluation.of("aws:kms/key:Key")) == len(evaluation.of(TOPIC)) == 1
    assert evaluation.one("aws:sns/topicSubscription:TopicSubscription").inputs["endpoint"] == "you@example.com"
    alarms = evaluation.of(ALARM)
    # Of the sentiment pipeline, of the API, of late uploads, of two state machines, of two schedules, and of the
    # function that turns providers' groups into roles.
    assert len(alarms) == 9 + 2 + 3 + 2 * 3 + 2 + 2
    assert all(alarm.name.startswith("prod-") for alarm in alarms)
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


def test_somebody_elses_sign_in_takes_the_place_of_the_own_pool() -> None:
    api = {"issuer": "https://login.example.com/", "audience": ["nlp"]}
    evaluation = evaluate_program("dev", {"cloud-nlp:api": json.dumps(api)})
    assert evaluation.of("aws:cognito/userPool:UserPool") == []
    authorizer = evaluation.one("aws:apigatewayv2/authorizer:Authorizer").inputs
    assert authorizer["jwtConfiguration"] == {"issuer": api["issuer"], "audiences": api["audience"]}
    told = {name: evaluation.outputs[name] for name in ("issuer", "user_pool", "command_line_client")}
    assert told == {"issuer": api["issuer"], "user_pool": "", "command_line_client": ""}


BUDGET = "aws:budgets/budget:Budget"


@pytest.mark.parametrize(("stack", "dollars"), [("dev", "50"), ("prod", "500")])
def test_the_budget_tells_whom_the_settings_name(stack: str, dollars: str) -> None:
    assert evaluate_program(stack).of(BUDGET) == []
    budget = evaluate_program(stack, {"cloud-nlp:notify_emails": '["you@example.com"]'}).one(BUDGET).inputs
    assert budget["limitAmount"] == dollars
    tags = [one["tags"] for one in budget["filterExpression"]["ors"][0]["ands"]]
    assert tags == [{"key": "project", "values": ["cloud-nlp"]}, {"key": "stack", "values": [stack]}]
    assert {email for one in budget["notifications"] for email in one["subscriberEmailAddresses"]} == {
        "you@example.com"
    }


def test_jobs_are_tagged_as_the_provider_tags_everything_else() -> None:
    states = evaluate_program("dev").document(MACHINE, "product-analyse", "definition")["States"]
    assert states["Process"]["Arguments"]["Tags"] == [
        {"Key": "project", "Value": "cloud-nlp"},
        {"Key": "stack", "Value": "dev"},
    ]


def test_jobs_on_aws_run_in_sagemakers_image_with_packages_of_their_own() -> None:
    evaluation = evaluate_program("dev")
    process = evaluation.document(MACHINE, "product-analyse", "definition")["States"]["Process"]["Arguments"]
    assert process["AppSpecification"]["ImageUri"] == (
        "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    )
    on_aws, local = (_objects(evaluate_program(stack)) for stack in ("dev", "local"))
    assert {path.name for path in on_aws - local} == {"package.whl"}
    assert [path.parts[:2] for path in on_aws - local] == [("programs", "wheels")]
    assert {path.name for path in local} == {"run.py", "program.zip"}


@pytest.mark.parametrize(("stack", "warned"), [("local", False), ("dev", True), ("prod", True)])
def test_deployment_to_aws_warns_of_an_image_without_a_digest(
    stack: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda text, *_, **__: warnings.append(text))
    evaluate_program_anew(stack, {})
    assert any("named by a tag" in text for text in warnings) is warned


def _objects(evaluation: Evaluation) -> set[PurePosixPath]:
    return {PurePosixPath(one.inputs["key"]) for one in evaluation.of("aws:s3/bucketObjectv2:BucketObjectv2")}


@pytest.mark.parametrize(("stack", "changes"), [("local", {}), ("prod", EVERYTHING)])
def test_unchanged_project_gives_unchanged_resources(stack: str, changes: dict[str, str]) -> None:
    assert comparable(evaluate_program(stack, changes)) == comparable(evaluate_program_anew(stack, changes))


@pytest.mark.parametrize("stack", STACKS)
def test_physical_names_are_pulumis(stack: str) -> None:
    evaluation = evaluate_program(stack, EVERYTHING)
    named = {(one.type, key) for one in evaluation.resources if one.custom for key in one.inputs if key in NAME_INPUTS}
    # API Gateway calls the stage that is no part of the address so, tokens name groups, which are a pool's own, and the
    # settings name the domain.
    assert named == {(STAGE, "name"), (GROUP, "name"), (RECORD, "name")}
    assert {one.inputs["name"] for one in evaluation.of(GROUP)} == {"reader", "editor", "admin"}
    assert {one.inputs["name"] for one in evaluation.of(RECORD)} == {"api.example.com", "_name.api.example.com."}
    assert evaluation.one(STAGE).inputs["name"] == "$default"
    assert [one.name for one in evaluation.of("aws:s3/bucket:Bucket") if "bucket" in one.inputs] == []
    # Lambda has no layers without a name, and keeps versions of one name apart.
    assert evaluation.one("aws:lambda/layerVersion:LayerVersion").inputs["layerName"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_everything_on_aws_is_tagged(stack: str) -> None:
    assert f'{{"tags": {{"project": "cloud-nlp", "stack": "{stack}"}}}}' == stack_config(stack)["aws:defaultTags"]


def test_mistakes_in_settings_stop_the_program_before_any_resource() -> None:
    with pytest.raises(SettingsError) as error:
        evaluate_program("prod", {"cloud-nlp:protect": "perhaps", "cloud-nlp:typo": "1"})
    assert 'cloud-nlp:protect: "perhaps"; expected true or false' in str(error.value)
    assert "cloud-nlp:typo: unknown" in str(error.value)


def comparable(evaluation: Evaluation) -> list[tuple[str, str, Any]]:
    """Resources with their inputs; archives as what is in them."""
    return [
        (one.type, one.name, {key: _content(value) for key, value in one.inputs.items()})
        for one in evaluation.resources
    ]


def _content(value: Any) -> Any:
    if isinstance(value, (pulumi.FileArchive, pulumi.FileAsset)):
        return Path(value.path).name  # an object's key has the hash of its content
    return archive_bytes(value) if isinstance(value, pulumi.Archive) else value
