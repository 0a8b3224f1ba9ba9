"""Settings of a stack: everything that differs between stacks, typed, described and checked.

Values come from `Pulumi.<stack>.yaml`, under keys such as `cloud-nlp:sentiment.schedule`. A field that is `None` unless
the stack sets it has its default in the component that it is passed to.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import pulumi
from pydantic import Field, ValidationInfo, field_validator

from schema.languages import COMPREHEND
from schema.wikipedia import REQUESTS_AT_ONCE, first_contact, is_wikipedia
from settings.jobs import DocumentSettings, JobScheduleSettings, JobSettings
from settings.quotas import BudgetSettings, QuotaSettings
from settings.reader import (
    RUNNING_CODE,
    Contact,
    Email,
    Flag,
    Group,
    HostName,
    LogRetention,
    Number,
    Origin,
    OrUnset,
    Schedule,
    SettingsError,
    Url,
    WholeNumber,
    leads_to_this_machine,
    one_of,
    read_settings,
)
from settings.sign_in import IdentityProviderSettings, SignInSettings

__all__ = [
    "ApiSettings",
    "BudgetSettings",
    "DocumentSettings",
    "FunctionSettings",
    "IdentityProviderSettings",
    "JobScheduleSettings",
    "JobSettings",
    "QuotaSettings",
    "SentimentSettings",
    "Settings",
    "SettingsError",
    "default_tags",
    "host_architecture",
    "host_runtime",
    "load_settings",
    "parse_settings",
]

PROJECT = "cloud-nlp"
Language = Annotated[str, one_of(COMPREHEND)]


class FunctionSettings(Group):
    """How Lambda functions run."""

    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor architecture; arm64 costs less"""
    runtime: Literal["python3.11", "python3.12", "python3.13", "python3.14", "host"] = "python3.14"
    """Python version; `host` is this machine's Python and processor, for the embedded AWS only"""
    log_retention_days: LogRetention | None = None
    """Days that logs are kept"""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] | None = None
    """Lowest level that is logged"""
    tracing: Flag | None = None
    """Trace requests with AWS X-Ray"""

    @field_validator("runtime")
    @classmethod
    def _host_only_on_this_machine(cls, runtime: str, info: ValidationInfo) -> str:
        if runtime == "host" and not (info.context or {}).get("on_this_machine"):
            raise ValueError(
                "a version such as python3.14, as aws:endpoints does not lead to an AWS on this machine for "
                + " and ".join(RUNNING_CODE)
            )
        return runtime


class SentimentSettings(Group):
    """The sentiment pipeline."""

    schedule: Schedule | None = None
    """When runs start, such as rate(5 minutes) or cron(0 6 * * ? *), in UTC"""
    scheduled: Flag | None = None
    """Start runs on the schedule; when false, only by hand"""
    language: Language | None = None
    """Language of the texts"""
    text_source_url: OrUnset[Url] = None
    """Base address of the text source; when not set, Wikipedia in the language of the texts"""
    contact: OrUnset[Contact] = None
    """E-mail address or web page that is sent to the text source; when not set, the first of notify_emails"""
    text_requests_per_minute: WholeNumber | None = Field(default=None, ge=1, le=1_000_000)
    """Requests to the text source per minute, of the whole stack; when not set, Wikipedia's limit"""
    expected_companies: WholeNumber | None = Field(default=None, ge=1)
    """Number of companies you plan to watch; a deployment warns if schedule and limit do not allow that many"""
    companies_per_segment: WholeNumber | None = Field(default=None, ge=1, le=100_000)
    """Companies sent per dispatch invocation; larger tables are split across several"""
    batch_window_seconds: WholeNumber | None = Field(default=None, ge=1, le=300)
    """Longest wait for a batch to fill up to 50 companies, in seconds"""
    analyse_timeout_seconds: WholeNumber | None = Field(default=None, ge=5, le=900)
    """Time limit of an analyse invocation, in seconds"""
    analyse_concurrency: WholeNumber | None = Field(default=None, ge=2, le=1000)
    """Batches analysed at once, and so requests to the text source at once, of which Wikipedia allows 3"""
    retry_seconds: WholeNumber | None = Field(default=None, ge=0, le=900)
    """Longest delay after a company's first failure, in seconds; doubles each time"""
    max_receives: WholeNumber | None = Field(default=None, ge=1, le=1000)
    """Attempts before a message moves to the dead-letter queue"""
    max_age_seconds: WholeNumber | None = Field(default=None, ge=60, le=1_209_600)
    """Alarm threshold for the age of the oldest message, in seconds"""
    # A message lives up to 4 days in the queue and 14 as a dead letter. Its claim in the table must outlive it.
    observation_retention_days: WholeNumber | None = Field(default=None, ge=19, le=36_500)
    """Days that observations are kept"""
    result_retention_days: WholeNumber | None = Field(default=None, ge=1, le=36_500)
    """Days that result objects are kept"""

    @field_validator("analyse_concurrency")
    @classmethod
    def _allowed_by_wikipedia(cls, concurrency: int | None, info: ValidationInfo) -> int | None:
        if concurrency and concurrency > REQUESTS_AT_ONCE and is_wikipedia(info.data.get("text_source_url", "wrong")):
            raise ValueError(f"at most {REQUESTS_AT_ONCE}, unless text_source_url leads elsewhere")
        return concurrency


class ApiSettings(SignInSettings):
    """The HTTP API."""

    origins: tuple[Origin, ...] = ()
    """Origins of web pages that may call the API, such as https://app.example.com"""
    requests_per_second: Number | None = Field(default=None, gt=0, le=10_000)
    """Sustained requests per second of all users together"""
    burst: WholeNumber | None = Field(default=None, ge=1, le=5_000)
    """Requests of all users together allowed at once"""
    costly_requests_per_second: Number | None = Field(default=None, gt=0, le=10_000)
    """Sustained requests per second of all users together, for each of POST jobs and POST sentiment"""
    costly_burst: WholeNumber | None = Field(default=None, ge=1, le=5_000)
    """Requests of all users together allowed at once, for each of POST jobs and POST sentiment"""
    domain: OrUnset[HostName] = None
    """Custom domain of the API, such as api.example.com"""
    hosted_zone_id: OrUnset[str] = None
    """Route 53 hosted zone for the domain's record and the certificate's validation"""
    certificate_arn: OrUnset[str] = Field(default=None, validate_default=True)
    """Existing certificate for the domain; when not set, one is issued"""

    @field_validator("certificate_arn")
    @classmethod
    def _provable(cls, certificate_arn: str | None, info: ValidationInfo) -> str | None:
        domain, zone = info.data.get("domain"), info.data.get("hosted_zone_id", "wrong")
        if domain and not (zone or certificate_arn):
            raise ValueError("this or api.hosted_zone_id, as api.domain is set")
        return certificate_arn


class Settings(Group):
    """All settings of a stack."""

    protect: Flag = False
    """Protect tables, buckets and user pool from deletion"""
    notify_emails: tuple[Email, ...] = ()
    """E-mail addresses that alarms are sent to"""
    functions: FunctionSettings = FunctionSettings()
    """How Lambda functions run"""
    sentiment: SentimentSettings = SentimentSettings()
    """The sentiment pipeline"""
    api: ApiSettings = ApiSettings()
    """The HTTP API"""
    budget: BudgetSettings = BudgetSettings()
    """What the stack may cost"""
    quotas: QuotaSettings = QuotaSettings()
    """How much each user, each project and the stack may use"""
    documents: DocumentSettings = DocumentSettings()
    """Documents of projects"""
    jobs: JobSettings = JobSettings()
    """Batch jobs"""

    @property
    def contact(self) -> str | None:
        """Whom the text source's operators can turn to: the contact, else the first address that may be sent."""
        return first_contact((self.sentiment.contact, *self.notify_emails))


def load_settings(stack: str | None = None) -> Settings:
    """Read the settings of the stack that is being deployed.

    Parameters
    ----------
    stack
        Name of the stack, for the message; by default, Pulumi's current stack.

    Raises
    ------
    SettingsError
        One message for all mistakes.
    """
    prefix = f"{PROJECT}:"
    everything = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    config = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    secret_keys = [key for key in config if pulumi.runtime.is_config_secret(f"{prefix}{key}")]
    on_this_machine = leads_to_this_machine(everything.get("aws:endpoints"))
    return parse_settings(config, stack or pulumi.get_stack(), on_this_machine, secret_keys, default_tags())


def default_tags() -> dict[str, str]:
    """Read `aws:defaultTags`: the tags that the provider gives to all resources of the stack, if there are any."""
    everything = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    return json.loads(everything.get("aws:defaultTags", "{}")).get("tags") or {}


def parse_settings(
    config: dict[str, str],
    stack: str,
    on_this_machine: bool = False,
    secret_keys: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> Settings:
    """Check raw values and turn them into settings.

    Parameters
    ----------
    config
        Raw values by key, without the project's prefix: text, or JSON where the value is an object or a list.
    stack
        Name of the stack, for the message.
    on_this_machine
        Whether the stack is deployed to an AWS that runs on this machine.
    secret_keys
        Keys whose values, or parts of them, are encrypted in the stack's settings file.
    tags
        Tags that the provider gives to all resources of the stack.

    Raises
    ------
    SettingsError
        One message for all mistakes.
    """
    context = {"on_this_machine": on_this_machine, "secret_keys": secret_keys, "tags": tags}
    return read_settings(Settings, config, PROJECT, stack, context)


def host_architecture() -> Literal["arm64", "x86_64"]:
    """Return the processor architecture of this machine, in Lambda's terms."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def host_runtime() -> str:
    """Return the Python version of this process, in Lambda's terms."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
