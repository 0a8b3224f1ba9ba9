"""Every setting of a stack reaches the resources of the whole program."""

from __future__ import annotations

import json
import tomllib

from schema.quotas import Quotas
from tests.support.pulumi_mocks import (
    ROOT_FOLDER,
    evaluate_program,
)

VERSION = tomllib.loads((ROOT_FOLDER / "pyproject.toml").read_text())["project"]["version"]
FUNCTION = "aws:lambda/function:Function"
MACHINE = "aws:sfn/stateMachine:StateMachine"
RULE = "aws:cloudwatch/eventRule:EventRule"
STAGE = "aws:apigatewayv2/stage:Stage"
# Settings of which each is another than the default.
FUNCTIONS = {"log_retention_days": 3, "log_level": "ERROR", "tracing": False}
SENTIMENT = {
    "schedule": "rate(2 days)",
    "language": "de",
    "contact": "me@example.com",
    "analyse_concurrency": 2,
    "text_requests_per_minute": 33,
    "expected_companies": 12,
    "companies_per_segment": 11,
    "batch_window_seconds": 12,
    "analyse_timeout_seconds": 13,
    "retry_seconds": 14,
    "max_receives": 15,
    "observation_retention_days": 21,
    "result_retention_days": 17,
}
API = {
    "self_registration": True,
    "mfa": "ON",
    "callback_urls": ["https://app.example.com/back"],
    "logout_urls": ["https://app.example.com/bye"],
    "sign_in_prefix": "people",
    "origins": ["https://app.example.com"],
    "requests_per_second": 11.5,
    "burst": 12,
    "costly_requests_per_second": 1.5,
    "costly_burst": 3,
    "domain": "api.example.com",
    "certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
}
JOBS = {
    "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mine:2",
    "instance_type": "ml.c5.xlarge",
    "instance_count": 3,
    "volume_gb": 44,
    "time_limit_seconds": 1234,
    "max_characters": 1234,
    "result_retention_days": 44,
    "isolated_translation": True,
    "schedules": [
        {
            "label": "nightly",
            "kind": "translate",
            "schedule": "cron(0 2 * * ? *)",
            "project": "p1",
            "options": {"target": "de", "source": "en", "engine": "marian"},
        }
    ],
}
QUOTAS = {name: number for number, name in enumerate(Quotas.__dataclass_fields__, 101)}
CHANGED = {
    f"cloud-nlp:{group}": json.dumps(settings)
    for group, settings in {
        "functions": FUNCTIONS,
        "sentiment": SENTIMENT,
        "api": API,
        "quotas": QUOTAS,
        "documents": {"version_retention_days": 3},
        "jobs": JOBS,
    }.items()
}


def test_every_setting_reaches_the_resources() -> None:
    evaluation = evaluate_program("dev", CHANGED)
    analyse, dispatch = (evaluation.one(FUNCTION, f"sentiment-{name}").inputs for name in ("analyse", "dispatch"))
    variables = analyse["environment"]["variables"]
    mapping = evaluation.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    lifecycle = evaluation.one(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "sentiment-results"
    ).inputs
    assert {group.inputs["retentionInDays"] for group in evaluation.of("aws:cloudwatch/logGroup:LogGroup")} == {3}
    assert variables["LOG_LEVEL"] == dispatch["environment"]["variables"]["LOG_LEVEL"] == "ERROR"
    assert analyse["tracingConfig"] == dispatch["tracingConfig"] == {"mode": "PassThrough"}
    assert evaluation.one(RULE, "sentiment-schedule").inputs["scheduleExpression"] == "rate(2 days)"
    assert (variables["LANGUAGE"], variables["CONTACT"]) == ("de", "me@example.com")
    assert (variables["TEXT_REQUESTS_PER_MINUTE"], variables["VERSION"]) == ("33", VERSION)
    assert dispatch["environment"]["variables"]["SEGMENT_SIZE"] == "11"
    assert (mapping["maximumBatchingWindowInSeconds"], mapping["scalingConfig"]["maximumConcurrency"]) == (12, 2)
    assert (analyse["timeout"], variables["RETRY_SECONDS"], variables["RETENTION_DAYS"]) == (13, "14", "21")
    redrive = evaluation.document("aws:sqs/queue:Queue", "sentiment-work", "redrivePolicy")
    assert redrive["maxReceiveCount"] == 15
    assert lifecycle["rules"][0]["expiration"]["days"] == 17


def test_every_setting_of_the_api_reaches_the_resources() -> None:
    evaluation = evaluate_program("dev", CHANGED)
    pool = evaluation.one("aws:cognito/userPool:UserPool").inputs
    web = evaluation.one("aws:cognito/userPoolClient:UserPoolClient", "product-api-users-web").inputs
    stage = evaluation.one(STAGE).inputs
    cors = evaluation.one("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration").inputs["corsRules"][0]
    domain = evaluation.one("aws:apigatewayv2/domainName:DomainName").inputs
    assert (pool["mfaConfiguration"], pool["adminCreateUserConfig"]) == ("ON", {"allowAdminCreateUserOnly": False})
    assert (web["callbackUrls"], web["logoutUrls"]) == (API["callback_urls"], API["logout_urls"])
    assert evaluation.one("aws:cognito/userPoolDomain:UserPoolDomain").inputs["domain"] == "people"
    gateway = evaluation.one("aws:apigatewayv2/api:Api").inputs
    assert gateway["corsConfiguration"]["allowOrigins"] == cors["allowedOrigins"] == API["origins"]
    assert gateway["disableExecuteApiEndpoint"] is True
    assert stage["defaultRouteSettings"] == {"throttlingRateLimit": 11.5, "throttlingBurstLimit": 12}
    limits = {(one["throttlingRateLimit"], one["throttlingBurstLimit"]) for one in stage["routeSettings"]}
    assert limits == {(1.5, 3)}
    assert domain["domainNameConfiguration"]["certificateArn"] == API["certificate_arn"]
    assert evaluation.outputs["api_url"] == "https://api.example.com"


def test_every_setting_of_jobs_reaches_the_state_machines() -> None:
    evaluation = evaluate_program("dev", CHANGED)
    for kind in ("analyse", "translate"):
        process = evaluation.document(MACHINE, f"product-{kind}", "definition")["States"]["Process"]["Arguments"]
        assert process["AppSpecification"]["ImageUri"] == JOBS["image"]
        cluster = process["ProcessingResources"]["ClusterConfig"]
        assert (cluster["InstanceType"], cluster["InstanceCount"], cluster["VolumeSizeInGB"]) == ("ml.c5.xlarge", 3, 44)
        assert process["StoppingCondition"] == {"MaxRuntimeInSeconds": 1234}
        assert process["NetworkConfig"] == {"EnableNetworkIsolation": kind == "translate"}
    calls = {
        kind: {
            action.partition(":")[0]
            for statement in evaluation.document("aws:iam/rolePolicy:RolePolicy", f"product-{kind}-job")["Statement"]
            for action in statement["Action"]
        }
        for kind in ("analyse", "translate")
    }
    assert "comprehend" in calls["analyse"]
    assert not calls["translate"] & {"comprehend", "translate"}
    told = evaluation.one(FUNCTION, "product-api-jobs-create").inputs["environment"]["variables"]
    assert told["ISOLATED_TRANSLATION"] == "true"
    rule = evaluation.one(RULE, "product-translate-nightly").inputs
    assert (rule["scheduleExpression"], rule["state"]) == ("cron(0 2 * * ? *)", "ENABLED")
    assert evaluation.document("aws:cloudwatch/eventTarget:EventTarget", "product-translate-nightly", "input") == {
        "project": "p1",
        "options": '{"engine":"marian","source":"en","target":"de"}',
        "model": "opus-mt-en-de",
        "max_characters": "1234",
    }
    assert told["MAX_CHARACTERS"] == "1234"


def test_every_setting_of_quotas_and_retention_reaches_the_resources() -> None:
    evaluation = evaluate_program("dev", CHANGED)
    told = [one.inputs["environment"]["variables"] for one in evaluation.of(FUNCTION)]
    quotas = {variables["QUOTAS"] for variables in told if "QUOTAS" in variables}
    assert [json.loads(one) for one in quotas] == [QUOTAS]
    rules = evaluation.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "product-files").inputs[
        "rules"
    ]
    assert rules[0]["noncurrentVersionExpiration"] == {"noncurrentDays": 3}
    assert (rules[1]["filter"], rules[1]["expiration"]) == ({"prefix": "results/"}, {"days": 44})
