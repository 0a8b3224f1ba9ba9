"""Per-stack settings: everything that differs between stacks, typed, described and checked.

Values come from `Pulumi.<stack>.yaml`, under keys such as `cloud-nlp:sentiment.schedule`.
"""

from __future__ import annotations

import platform
import sys
from typing import Annotated, Any, Literal

import msgspec
import pulumi
from msgspec import Meta

from settings_reader import SettingsError, convert_settings

PROJECT = "cloud-nlp"
# Amazon Comprehend's languages for sentiment, https://docs.aws.amazon.com/comprehend/latest/dg/supported-languages.html
Language = Literal["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "pt", "zh", "zh-TW"]
# Periods that CloudWatch Logs can keep events for.
LogRetention = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653]
_SCHEDULE = r"^(rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)|cron\(\S+( \S+){5}\))\Z"
_URL = r"^(https?://[^\s/]+(/\S*)?)?\Z"
# What may stand in an HTTP header, in parentheses.
_CONTACT = r"^[ -'*-~]{0,200}\Z"
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+\Z"
_ORIGIN = r"^https?://[^\s/]+\Z"
_HOST = r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?\Z"
# First part of a domain name of Amazon Cognito.
_PREFIX = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?\Z"
# SageMaker takes values of a job's environment, where options travel, up to this length.
_OPTIONS_LENGTH = 256


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that belong together."""

    def given(self, *fields: str, **arguments: str) -> dict[str, Any]:
        """Return the values that the stack sets, as keyword arguments for a component's args.

        Parameters
        ----------
        fields
            Fields to return under their own names. Without `fields` and `arguments`, all fields are returned.
        arguments
            Further fields, each with the name of its argument.
        """
        names = {**{field: field for field in fields}, **arguments} or {
            field: field for field in self.__struct_fields__
        }
        values = {argument: getattr(self, field) for field, argument in names.items()}
        return {argument: value for argument, value in values.items() if value not in (None, "", ())}


class FunctionSettings(Group, frozen=True, forbid_unknown_fields=True):
    """How Lambda functions run."""

    architecture: Annotated[
        Literal["arm64", "x86_64"],
        Meta(description="Processor; arm64 costs less"),
    ] = "arm64"
    runtime: Annotated[
        Literal["python3.11", "python3.12", "python3.13", "python3.14", "host"],
        Meta(description="Python version. `host`: this machine's Python and processor, for the embedded AWS"),
    ] = "python3.14"
    log_retention_days: Annotated[LogRetention, Meta(description="How long logs are kept")] = 30
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="Least severe lines that are logged")
    ] = "INFO"
    tracing: Annotated[bool, Meta(description="Trace requests with AWS X-Ray")] = True


class SentimentSettings(Group, frozen=True, forbid_unknown_fields=True):
    """The sentiment pipeline."""

    schedule: Annotated[
        str, Meta(pattern=_SCHEDULE, description="When runs start: rate(5 minutes), cron(0 6 * * ? *)")
    ] = "rate(5 minutes)"
    scheduled: Annotated[bool, Meta(description="Whether the schedule starts runs at all")] = True
    language: Annotated[Language, Meta(description="Language of the texts")] = "en"
    text_source_url: Annotated[
        str, Meta(pattern=_URL, description="Where texts come from; Wikipedia in the language when absent")
    ] = ""
    contact: Annotated[
        str,
        Meta(
            max_length=200, description="Address or page for the text source's operators; Wikipedia's rules ask for one"
        ),
    ] = ""
    companies_per_segment: Annotated[
        int, Meta(ge=1, le=100_000, description="Companies that one dispatching invocation sends")
    ] = 2000
    batch_window_seconds: Annotated[
        int, Meta(ge=1, le=300, description="How long a batch may wait to fill up to 25 companies")
    ] = 5
    analyse_timeout_seconds: Annotated[
        int, Meta(ge=5, le=900, description="Time limit of an invocation that analyses a batch")
    ] = 30
    analyse_concurrency: Annotated[
        int,
        Meta(ge=2, le=1000, description="Batches analysed at once; protects text source and Comprehend quota"),
    ] = 10
    retry_seconds: Annotated[
        int,
        Meta(ge=0, le=900, description="Longest delay after a company's first failure; doubles from there"),
    ] = 30
    max_receives: Annotated[int, Meta(ge=1, le=1000, description="Attempts before a message becomes a dead letter")] = 5
    max_age_seconds: Annotated[
        int, Meta(ge=60, le=1_209_600, description="An alarm tells when a company has waited longer to be analysed")
    ] = 3600
    observation_retention_days: Annotated[
        # Not shorter than messages may live, 4 and 14 days, or a dead letter's claim would be forgotten before it.
        int, Meta(ge=19, le=36_500, description="How long a company's history is kept")
    ] = 90
    result_retention_days: Annotated[int, Meta(ge=1, le=36_500, description="How long result objects are kept")] = 365


class ApiSettings(Group, frozen=True, forbid_unknown_fields=True):
    """The HTTP API."""

    issuer: Annotated[
        str, Meta(pattern=_URL, description="Who signs people in, as its tokens say; an own user pool when absent")
    ] = ""
    audience: Annotated[tuple[str, ...], Meta(description="Whom the issuer's tokens are for; only with issuer")] = ()
    self_registration: Annotated[bool, Meta(description="Anybody may register, not only whom you invite")] = False
    mfa: Annotated[
        Literal["OFF", "OPTIONAL", "ON"], Meta(description="Second factor from an authenticator application")
    ] = "OPTIONAL"
    callback_urls: Annotated[
        tuple[Annotated[str, Meta(pattern=_URL, min_length=1)], ...],
        Meta(description="Where the sign-in page sends the web application's users"),
    ] = ()
    logout_urls: Annotated[
        tuple[Annotated[str, Meta(pattern=_URL, min_length=1)], ...],
        Meta(description="Where the sign-in page sends them when they have signed out"),
    ] = ()
    sign_in_prefix: Annotated[
        str, Meta(pattern=_PREFIX, description="First part of the sign-in page's address; unique in the region")
    ] = ""
    firewall: Annotated[bool, Meta(description="AWS WAF in front of the sign-in; 7 USD a month")] = False
    origins: Annotated[
        tuple[Annotated[str, Meta(pattern=_ORIGIN)], ...],
        Meta(description="Origins of web pages that may call the API: https://app.example.com"),
    ] = ()
    requests_per_second: Annotated[float, Meta(gt=0, le=10_000, description="Requests let through over time")] = 100
    burst: Annotated[int, Meta(ge=1, le=5_000, description="Requests let through at once")] = 200
    costly_requests_per_second: Annotated[
        float, Meta(gt=0, le=10_000, description="The same for each of POST jobs and POST sentiment")
    ] = 5
    costly_burst: Annotated[int, Meta(ge=1, le=5_000, description="Costly requests let through at once")] = 10
    domain: Annotated[str, Meta(pattern=_HOST, description="A domain of one's own: api.example.com")] = ""
    hosted_zone_id: Annotated[str, Meta(description="Route 53 zone that gets the domain's records and proof")] = ""
    certificate_arn: Annotated[str, Meta(description="Certificate for the domain; issued when absent")] = ""


class JobScheduleSettings(Group, frozen=True, forbid_unknown_fields=True):
    """Batch jobs that start by themselves."""

    label: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,19}\Z", description="Short name; unique for a kind")]
    kind: Annotated[Literal["analyse", "translate"], Meta(description="Kind of the jobs")]
    schedule: Annotated[str, Meta(pattern=_SCHEDULE, description="When: rate(1 day), cron(0 2 * * ? *)")]
    project: Annotated[str, Meta(min_length=1, max_length=64, description="Id of the project")]
    options: Annotated[dict[str, Any], Meta(description="The jobs' options, as the API takes them")] = {}

    @property
    def options_json(self) -> str:
        """The options as jobs get them."""
        return msgspec.json.encode(self.options, order="sorted").decode()

    @property
    def channels(self) -> dict[str, str]:
        """What names optional channels of a job: MarianMT's model, called as its publisher calls it."""
        if self.options.get("engine") != "marian":
            return {}
        return {"model": f"opus-mt-{self.options.get('source')}-{self.options.get('target')}"}


class JobSettings(Group, frozen=True, forbid_unknown_fields=True):
    """Batch jobs."""

    image: Annotated[
        str,
        Meta(description="Container image in Amazon ECR; SageMaker's own by image_name and image_version if absent"),
    ] = ""
    image_name: Annotated[str, Meta(description="Repository of SageMaker's image")] = "huggingface-pytorch-inference"
    image_version: Annotated[str, Meta(description="Tag of SageMaker's image")] = (
        "2.6.0-transformers4.51.3-cpu-py312-ubuntu22.04"
    )
    python_version: Annotated[
        str, Meta(pattern=r"^3\.\d+\Z", description="The image's Python, for which packages are brought along")
    ] = "3.12"
    instance_type: Annotated[str, Meta(pattern=r"^ml\.", description="What a job runs on")] = "ml.m5.large"
    instance_count: Annotated[int, Meta(ge=1, le=20, description="How many share a job's documents")] = 1
    volume_gb: Annotated[int, Meta(ge=1, le=16_384, description="Disk of an instance")] = 30
    time_limit_seconds: Annotated[
        # SageMaker: at most seven days.
        int, Meta(ge=1, le=604_800, description="Longest time a job may run")
    ] = 3600
    isolated_translation: Annotated[
        bool, Meta(description="Translation jobs reach no network, not even AWS: MarianMT only")
    ] = False
    schedules: Annotated[tuple[JobScheduleSettings, ...], Meta(description="Jobs that start by themselves")] = ()


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of a stack."""

    protect: Annotated[bool, Meta(description="Keep tables, buckets and user pool from being deleted")] = False
    notify_emails: Annotated[
        tuple[Annotated[str, Meta(pattern=_EMAIL)], ...],
        Meta(description="Who is told when an alarm is raised"),
    ] = ()
    functions: Annotated[FunctionSettings, Meta(description="How Lambda functions run")] = FunctionSettings()
    sentiment: Annotated[SentimentSettings, Meta(description="The sentiment pipeline")] = SentimentSettings()
    api: Annotated[ApiSettings, Meta(description="The HTTP API")] = ApiSettings()
    jobs: Annotated[JobSettings, Meta(description="Batch jobs")] = JobSettings()


def load_settings(stack: str | None = None) -> Settings:
    """Read the settings of the stack that is being deployed.

    Parameters
    ----------
    stack
        Name of the stack, for the message; asked of Pulumi when absent.

    Raises
    ------
    SettingsError
        One message for all mistakes.
    """
    prefix = f"{PROJECT}:"
    everything = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    config = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    return parse_settings(config, stack or pulumi.get_stack())


def parse_settings(config: dict[str, str], stack: str) -> Settings:
    """Check raw values and turn them into settings.

    Parameters
    ----------
    config
        By key, without the project's prefix: texts, or JSON where the value is an object or a list.
    stack
        Name of the stack, for the message.

    Raises
    ------
    SettingsError
        One message for all mistakes.
    """
    mistakes: list[str] = []
    settings = convert_settings(Settings, config, PROJECT, mistakes)
    if settings:
        mistakes += _contradictions(settings)
    if settings is None or mistakes:
        raise SettingsError("\n".join([f"Pulumi.{stack}.yaml has mistakes:", *(f"  {line}" for line in mistakes)]))
    return settings


def _contradictions(settings: Settings) -> list[str]:
    """Find settings that do not go together, though each is right by itself."""
    api, schedules = settings.api, settings.jobs.schedules
    found = []
    if bool(api.issuer) != bool(api.audience):
        found.append("api.issuer, api.audience: expected both or none")
    if api.domain and not (api.hosted_zone_id or api.certificate_arn):
        found.append(f"api.domain: {api.domain!r}; expected api.hosted_zone_id or api.certificate_arn with it")
    for name in {(one.kind, one.label) for one in schedules}:
        count = sum((one.kind, one.label) == name for one in schedules)
        if count > 1:
            found.append(f"jobs.schedules: label {name[1]!r} is there {count} times for {name[0]}; expected it once")
    found += [
        f"jobs.schedules: options of {one.label!r} have over {_OPTIONS_LENGTH} characters"
        for one in schedules
        if len(one.options_json) > _OPTIONS_LENGTH
    ]
    return [f"{PROJECT}:{mistake}" for mistake in sorted(found)]


def host_architecture() -> Literal["arm64", "x86_64"]:
    """Processor of this machine, as Lambda names it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def host_runtime() -> str:
    """Python of this process, as Lambda names it."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
