"""Settings: defaults, and every mistake at once."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from settings import (
    ApiSettings,
    FunctionSettings,
    JobSettings,
    SentimentSettings,
    Settings,
    SettingsError,
    host_architecture,
    host_runtime,
    load_settings,
    parse_settings,
)
from tests.support.pulumi_mocks import evaluate, stack_config

PREFIX = "cloud-nlp:"


def parse(**config: Any) -> Settings:
    return parse_settings({key: json.dumps(value) for key, value in config.items()}, "dev")


def mistakes(**config: Any) -> list[str]:
    with pytest.raises(SettingsError) as error:
        parse(**config)
    first, *lines = str(error.value).splitlines()
    assert first == "Pulumi.dev.yaml has mistakes:"
    assert all(line.startswith(f"  {PREFIX}") for line in lines)
    return [line.strip() for line in lines]


def test_everything_has_a_default() -> None:
    settings = parse()
    assert settings == Settings(False, (), FunctionSettings(), SentimentSettings(), ApiSettings(), JobSettings())
    assert settings.functions == FunctionSettings("arm64", "python3.14", 30, "INFO", True)
    assert settings.sentiment == SentimentSettings(
        schedule="rate(5 minutes)",
        scheduled=True,
        language="en",
        text_source_url="",
        contact="",
        companies_per_segment=2000,
        batch_window_seconds=5,
        analyse_timeout_seconds=30,
        analyse_concurrency=10,
        retry_seconds=30,
        max_receives=5,
        observation_retention_days=90,
        result_retention_days=365,
    )
    assert settings.api == ApiSettings(
        issuer="",
        audience=(),
        self_registration=False,
        mfa="OPTIONAL",
        callback_urls=(),
        logout_urls=(),
        sign_in_prefix="",
        firewall=False,
        origins=(),
        requests_per_second=100,
        burst=200,
        costly_requests_per_second=5,
        costly_burst=10,
        domain="",
        hosted_zone_id="",
        certificate_arn="",
    )
    assert settings.jobs == JobSettings(
        image="",
        image_name="huggingface-pytorch-inference",
        image_version="2.6.0-transformers4.51.3-cpu-py312-ubuntu22.04",
        python_version="3.12",
        instance_type="ml.m5.large",
        instance_count=1,
        volume_gb=30,
        time_limit_seconds=3600,
        isolated_translation=False,
        schedules=(),
    )


def test_values_are_taken_over_beside_defaults() -> None:
    settings = parse(
        protect=True,
        notify_emails=["you@example.com"],
        functions={"tracing": False},
        sentiment={"schedule": "cron(0 6 * * ? *)", "analyse_concurrency": 2},
    )
    assert settings.protect
    assert settings.notify_emails == ("you@example.com",)
    assert settings.functions == FunctionSettings(tracing=False)
    assert settings.sentiment == SentimentSettings(schedule="cron(0 6 * * ? *)", analyse_concurrency=2)


@pytest.mark.parametrize("value", ["true", '"true"'])
def test_texts_are_taken_for_what_they_say(value: str) -> None:
    """`pulumi config set` writes texts, whatever the kind of the value."""
    settings = parse_settings({"protect": value, "sentiment": '{"retry_seconds": "20", "scheduled": "false"}'}, "dev")
    assert settings.protect
    assert (settings.sentiment.retry_seconds, settings.sentiment.scheduled) == (20, False)


def test_every_mistake_is_told_with_key_value_and_expectation() -> None:
    lines = mistakes(
        protect="perhaps",
        notify_emails=["you@example.com", "nobody"],
        functions={"architecture": "mips", "log_retention_days": 8},
        sentiment={
            "schedule": "every minute",
            "text_source_url": "wikipedia.org",
            "analyse_concurrency": 1,
            "max_receives": "many",
            "contact": "x" * 201,
        },
    )
    periods = "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653"
    assert [line.partition(" (")[0] for line in lines] == [
        "cloud-nlp:protect: 'perhaps'; expected bool, got str",
        "cloud-nlp:notify_emails: ['you@example.com', 'nobody']; not of the form that is expected",
        "cloud-nlp:functions.architecture: 'mips'; expected one of arm64, x86_64",
        f"cloud-nlp:functions.log_retention_days: 8; expected one of {periods}",
        "cloud-nlp:sentiment.schedule: 'every minute'; not of the form that is expected",
        "cloud-nlp:sentiment.text_source_url: 'wikipedia.org'; not of the form that is expected",
        "cloud-nlp:sentiment.analyse_concurrency: 1; expected int >= 2",
        "cloud-nlp:sentiment.max_receives: 'many'; expected int, got str",
        f"cloud-nlp:sentiment.contact: '{'x' * 201}'; expected str of length <= 200",
    ]
    # Each says what the setting is, too; where its form is wrong, with examples.
    assert all(line.endswith(")") for line in lines)
    assert lines[4].endswith(" (When runs start: rate(5 minutes), cron(0 6 * * ? *))")


def test_unknown_keys_are_told_with_the_known_ones_at_both_levels() -> None:
    top, nested = mistakes(schedule="rate(5 minutes)", sentiment={"Schedule": "rate(5 minutes)"})
    assert top == "cloud-nlp:schedule: unknown; known are api, functions, jobs, notify_emails, protect, sentiment"
    assert nested.startswith("cloud-nlp:sentiment.Schedule: unknown; known are analyse_concurrency, ")
    assert "schedule" in nested


@pytest.mark.parametrize("value", [None, "fast", 3, ["fast"]])
def test_group_that_is_no_object_is_told_with_its_keys(value: Any) -> None:
    (mistake,) = mistakes(functions=value)
    assert mistake == (
        f"cloud-nlp:functions: {value!r}; expected an object with "
        "architecture, runtime, log_retention_days, log_level, tracing"
    )


def test_settings_that_contradict_each_other_are_mistakes() -> None:
    nightly = {"label": "nightly", "kind": "analyse", "schedule": "rate(1 day)", "project": "p"}
    lines = mistakes(
        api={"issuer": "https://login.example.com", "domain": "api.example.com"},
        jobs={"schedules": [nightly, nightly | {"kind": "translate", "options": {"target": "x" * 256}}, nightly]},
    )
    assert lines == [
        "cloud-nlp:api.domain: 'api.example.com'; expected api.hosted_zone_id or api.certificate_arn with it",
        "cloud-nlp:api.issuer, api.audience: expected both or none",
        "cloud-nlp:jobs.schedules: label 'nightly' is there 2 times for analyse; expected it once",
        "cloud-nlp:jobs.schedules: options of 'nightly' have over 256 characters",
    ]


def test_mistake_in_a_schedule_names_its_field() -> None:
    (mistake,) = mistakes(jobs={"schedules": [{"label": "Nightly", "kind": "analyse"}]})
    assert mistake.startswith("cloud-nlp:jobs.schedules: [{'label': 'Nightly', 'kind': 'analyse'}]; ")
    (mistake,) = mistakes(jobs={"schedules": [{"label": "a", "kind": "analyse", "schedule": "rate(1 day)", "to": 1}]})
    assert "unknown field to" in mistake


@pytest.mark.parametrize(
    ("options", "channels"),
    [
        ({"target": "de"}, {}),
        ({"target": "de", "source": "en", "engine": "amazon"}, {}),
        ({"target": "de", "source": "en", "engine": "marian"}, {"model": "opus-mt-en-de"}),
    ],
)
def test_scheduled_jobs_of_marian_bring_its_model(options: dict[str, str], channels: dict[str, str]) -> None:
    schedule = {"label": "a", "kind": "translate", "schedule": "rate(1 day)", "project": "p", "options": options}
    assert parse(jobs={"schedules": [schedule]}).jobs.schedules[0].channels == channels


@pytest.mark.parametrize(
    "schedule",
    ["rate(1 minute)", "rate(1 hour)", "rate(2 days)", "rate(15 minutes)", "cron(0/5 8-17 ? * MON-FRI *)"],
)
def test_schedules_of_eventbridge_are_taken(schedule: str) -> None:
    assert parse(sentiment={"schedule": schedule}).sentiment.schedule == schedule


@pytest.mark.parametrize(
    "schedule", ["rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(5m)", "cron(0 6 * * ?)", "at(noon)", ""]
)
def test_what_eventbridge_would_refuse_is_a_mistake(schedule: str) -> None:
    assert len(mistakes(sentiment={"schedule": schedule})) == 1


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_settings_of_the_projects_stacks_have_no_mistakes(stack: str) -> None:
    settings = load(stack_config(stack), stack)
    assert settings.protect is (stack == "prod")
    assert settings.sentiment.scheduled is (stack != "local")


def test_settings_of_other_packages_are_left_alone() -> None:
    assert load(
        {"aws:region": "eu-central-1", "cloud-nlp-two:protect": "true", f"{PREFIX}protect": "true"}
    ) == Settings(protect=True)


def test_mistakes_name_the_stack_that_is_deployed() -> None:
    with pytest.raises(SettingsError, match=r"Pulumi\.prod\.yaml has mistakes"):
        load({f"{PREFIX}protect": "perhaps"}, "prod")


def test_host_is_named_as_lambda_does() -> None:
    assert host_runtime() == f"python3.{sys.version_info.minor}"
    assert host_architecture() in ("arm64", "x86_64")


def load(config: dict[str, str], stack: str = "dev") -> Settings:
    loaded: list[Settings] = []
    evaluate(lambda: loaded.append(load_settings()), config, stack)
    return loaded[0]
