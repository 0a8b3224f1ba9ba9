"""Settings: defaults, and every mistake at once."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from settings import (
    FunctionSettings,
    SentimentSettings,
    Settings,
    SettingsError,
    host_architecture,
    host_runtime,
    load_settings,
    parse_settings,
)
from tests.support.pulumi_mocks import ROOT_FOLDER, evaluate, stack_config

PREFIX = "cloud-nlp:"
NOT_HOST = "a version such as python3.14, as aws:endpoints does not lead to an AWS on this machine for lambda and sfn"
LABEL = "a letter and at most 19 letters, digits and hyphens, in lower case"
FOLDERS = ("components", "handlers", "cli", "local", "bench")


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
    assert settings == Settings()
    assert (settings.functions.architecture, settings.functions.runtime) == ("arm64", "python3.14")
    assert settings.jobs.image_name == "sagemaker-scikit-learn"
    assert settings.jobs.image_version == "1.9-0-cpu-py3"
    assert settings.jobs.python_version == "3.12"
    assert not settings.protect
    assert not settings.jobs.isolated_translation


def test_only_what_a_stack_sets_is_passed_on() -> None:
    settings = parse(
        sentiment={"schedule": "rate(1 hour)", "contact": "", "language": None, "scheduled": False},
        api={"sign_in_prefix": "people", "origins": [], "burst": 7},
    )
    assert settings.sentiment.given() == {"schedule": "rate(1 hour)", "scheduled": False}
    assert settings.sentiment.given("schedule", "retry_seconds") == {"schedule": "rate(1 hour)"}
    assert settings.api.given("origins", "mfa", sign_in_prefix="domain_prefix") == {
        "origins": (),
        "domain_prefix": "people",
    }
    assert settings.api.given(requests_per_second="per_second", burst="burst") == {"burst": 7}
    assert parse().functions.given() == parse().api.given() == {}


def test_asking_for_a_field_that_does_not_exist_is_a_mistake_of_the_program() -> None:
    with pytest.raises(AttributeError, match="shedule"):
        parse().sentiment.given("shedule")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse().sentiment.language = "de"


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
def test_text_is_converted_to_the_type_of_the_field(value: str) -> None:
    """`pulumi config set` writes text, whatever the type of the value."""
    settings = parse_settings(
        {
            "protect": value,
            "functions": '{"log_retention_days": "7"}',
            "sentiment": '{"retry_seconds": "20", "scheduled": "false"}',
            "api": '{"requests_per_second": "2.5"}',
        },
        "dev",
    )
    assert settings.protect
    assert settings.functions.log_retention_days == 7
    assert (settings.sentiment.retry_seconds, settings.sentiment.scheduled) == (20, False)
    assert settings.api.requests_per_second == 2.5


def test_all_mistakes_are_reported_at_once_with_key_value_expectation_and_description() -> None:
    lines = mistakes(
        protect="perhaps",
        notify_emails=["you@example.com", "nobody"],
        functions={"architecture": "mips", "log_retention_days": 8, "runtime": "host"},
        sentiment={
            "schedule": "every minute",
            "text_source_url": "wikipedia.org",
            "contact": "x" * 201,
            "analyse_concurrency": 1,
            "text_requests_per_minute": 0,
            "expected_companies": "many",
            "max_receives": "many",
            "retry_seconds": True,
        },
        api={"issuer": "https://login.example.com", "requests_per_second": 0, "domain": "Example", "origins": "all"},
        jobs={
            "python_version": 3.12,
            "volume_gb": 1.5,
            "schedules": [{"label": "Nightly", "kind": "clean", "schedule": "rate(1 day)", "options": []}],
        },
    )
    periods = "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557 or 3653"
    parts = [line.removeprefix(PREFIX).partition(" (") for line in lines]
    assert [mistake for mistake, _, _ in parts] == [
        'protect: "perhaps"; expected true or false',
        'notify_emails[1]: "nobody"; expected an e-mail address',
        "functions.architecture: \"mips\"; expected 'arm64' or 'x86_64'",
        f'functions.runtime: "host"; expected {NOT_HOST}',
        f"functions.log_retention_days: 8; expected {periods}",
        'sentiment.schedule: "every minute"; expected rate(number unit) or cron(six fields)',
        'sentiment.text_source_url: "wikipedia.org"; expected an address that starts with https:// or http://',
        f'sentiment.contact: "{"x" * 201}"; expected at most 200 ASCII characters, without parentheses',
        "sentiment.text_requests_per_minute: 0; expected a number from 1 up to 1000000",
        'sentiment.expected_companies: "many"; expected a whole number from 1',
        "sentiment.analyse_concurrency: 1; expected a number from 2 up to 1000",
        "sentiment.retry_seconds: true; expected a whole number from 0 up to 900",
        'sentiment.max_receives: "many"; expected a whole number from 1 up to 1000',
        "api.audience: not set; expected at least one, as api.issuer is set",
        'api.origins: "all"; expected a list',
        "api.requests_per_second: 0; expected a number above 0 up to 10000",
        'api.domain: "Example"; expected a host name in lower case',
        "jobs.python_version: 3.12; expected text, in quotes where it looks like a number",
        "jobs.volume_gb: 1.5; expected a whole number from 1 up to 16384",
        f'jobs.schedules[0].label: "Nightly"; expected {LABEL}',
        "jobs.schedules[0].kind: \"clean\"; expected 'analyse' or 'translate'",
        "jobs.schedules[0].project: missing; it is required",
        "jobs.schedules[0].options: []; expected an object",
    ]
    # Each also says what the setting is for.
    assert parts[0][2] == "Protect tables, buckets and user pool from deletion)"
    assert parts[5][2] == "When runs start, such as rate(5 minutes) or cron(0 6 * * ? *), in UTC)"
    assert all(description.endswith(")") for _, _, description in parts)


def test_unknown_keys_are_reported_with_the_known_ones_at_every_level() -> None:
    job = {"label": "a", "kind": "analyse", "schedule": "rate(1 day)", "project": "p", "to": 1}
    nested, listed, top = mistakes(
        schedule="rate(5 minutes)", sentiment={"Schedule": "rate(5 minutes)"}, jobs={"schedules": [job]}
    )
    known = "api, budget, documents, functions, jobs, notify_emails, protect, quotas, sentiment"
    assert top == f"cloud-nlp:schedule: unknown; the known settings here are {known}"
    assert nested.startswith("cloud-nlp:sentiment.Schedule: unknown; the known settings here are analyse_concurrency, ")
    assert nested.endswith(", schedule, scheduled, text_requests_per_minute, text_source_url")
    assert listed == (
        "cloud-nlp:jobs.schedules[0].to: unknown; the known settings here are "
        "kind, label, max_characters, options, project, schedule"
    )


@pytest.mark.parametrize("value", [None, "fast", 3, ["fast"]])
def test_group_that_is_not_an_object_is_reported_with_its_keys(value: Any) -> None:
    (mistake,) = mistakes(functions=value)
    assert mistake == (
        f"cloud-nlp:functions: {json.dumps(value)}; expected an object with "
        "architecture, runtime, log_retention_days, log_level, tracing (How Lambda functions run)"
    )


def test_settings_that_contradict_each_other_are_mistakes() -> None:
    nightly = {"label": "nightly", "kind": "analyse", "schedule": "rate(1 day)", "project": "p"}
    lines = mistakes(
        protect="perhaps",
        api={"audience": ["nlp"], "domain": "api.example.com"},
        jobs={"schedules": [nightly, nightly | {"kind": "translate", "options": {"target": "de"}}, nightly]},
    )
    assert [line.partition(" (")[0] for line in lines[:3]] == [
        'cloud-nlp:protect: "perhaps"; expected true or false',
        'cloud-nlp:api.audience: ["nlp"]; expected api.issuer with it',
        "cloud-nlp:api.certificate_arn: not set; expected this or api.hosted_zone_id, as api.domain is set",
    ]
    assert lines[3].startswith("cloud-nlp:jobs.schedules: [{")
    assert "; expected each label once per kind, not several times like 'nightly' of analyse (" in lines[3]


@pytest.mark.parametrize("url", [None, "https://de.wikipedia.org"])
def test_more_requests_at_once_than_wikipedia_allows_are_a_mistake(url: str | None) -> None:
    (mistake,) = mistakes(sentiment={"analyse_concurrency": 4, "text_source_url": url})
    assert mistake.startswith(
        "cloud-nlp:sentiment.analyse_concurrency: 4; expected at most 3, unless text_source_url leads elsewhere ("
    )
    own = parse(sentiment={"analyse_concurrency": 4, "text_source_url": "https://wiki.example.com"})
    assert own.sentiment.analyse_concurrency == 4


@pytest.mark.parametrize(
    ("contact", "emails", "expected"),
    [
        ("https://example.com", ["you@example.com"], "https://example.com"),
        ("", ["you@example.com", "me@example.com"], "you@example.com"),
        (None, ["you(r)@example.com", "mé@example.com", "me@example.com"], "me@example.com"),
        (None, [], None),
    ],
)
def test_contact_is_the_first_address_that_can_be_sent(
    contact: str | None, emails: list[str], expected: str | None
) -> None:
    assert parse(sentiment={"contact": contact}, notify_emails=emails).contact == expected


@pytest.mark.parametrize("proof", [{"hosted_zone_id": "Z1"}, {"certificate_arn": "arn:aws:acm:1"}])
def test_domain_needs_a_hosted_zone_or_a_certificate(proof: dict[str, str]) -> None:
    assert parse(api={"domain": "api.example.com", **proof}).api.domain == "api.example.com"


def test_mistake_in_one_setting_makes_no_contradiction_with_another() -> None:
    """A contradiction that a mistaken value causes would send the reader the wrong way."""
    lines = mistakes(api={"issuer": "login", "audience": ["nlp"], "domain": "api.example.com", "hosted_zone_id": 3})
    assert [line.partition(":")[2].partition(":")[0] for line in lines] == ["api.issuer", "api.hosted_zone_id"]


@pytest.mark.parametrize("group", ["functions", "sentiment", "api", "jobs"])
def test_every_setting_reports_a_value_of_another_type(group: str) -> None:
    fields = list(Settings.model_fields[group].annotation.model_fields)  # type: ignore[union-attr]
    lines = mistakes(**{group: {name: {"no": "such value"} for name in fields}})
    assert [line.partition(":")[2].partition(": ")[0] for line in lines] == [f"{group}.{name}" for name in fields]
    # What holds secrets is not shown.
    hidden = [line for line in lines if ": (hidden); expected " in line]
    assert len(hidden) == (1 if group == "api" else 0)
    assert all('{"no": "such value"}; expected ' in line for line in lines if line not in hidden)
    assert not any("Input should" in line or "pydantic" in line for line in lines)


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
    assert (settings.sentiment.scheduled is False) is (stack == "local")


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


def test_only_settings_import_pydantic() -> None:
    """Functions would start later, and the command line and the components would depend on it."""
    files = [
        ROOT_FOLDER / "__main__.py",
        *(path for folder in FOLDERS for path in (ROOT_FOLDER / folder).rglob("*.py")),
    ]
    importing = [path for path in files if re.search(r"^\s*(from|import) pydantic", path.read_text(), re.MULTILINE)]
    assert importing == []


def load(config: dict[str, str], stack: str = "dev") -> Settings:
    loaded: list[Settings] = []
    evaluate(lambda: loaded.append(load_settings()), config, stack)
    return loaded[0]


def test_a_budget_needs_tags_by_which_the_costs_are_found() -> None:
    config = {"budget": '{"monthly_usd": 50}'}
    assert parse_settings(config, "dev", tags={"stack": "dev"}).budget.monthly_usd == 50
    with pytest.raises(SettingsError, match=r"cloud-nlp:budget\.monthly_usd: 50; expected aws:defaultTags with it"):
        parse_settings(config, "dev")


def test_schedules_ask_for_no_more_characters_than_jobs_may_send() -> None:
    one = {"label": "nightly", "kind": "analyse", "schedule": "rate(1 day)", "project": "p", "max_characters": 100}
    assert parse(jobs={"schedules": [one], "max_characters": 100}).jobs.schedules[0].max_characters == 100
    with pytest.raises(SettingsError, match=r"max_characters of at most 99, as jobs\.max_characters is, for nightly"):
        parse(jobs={"schedules": [one], "max_characters": 99})
