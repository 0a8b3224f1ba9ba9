"""Settings of a stack: everything that differs between stacks, typed, described and checked.

Values come from `Pulumi.<stack>.yaml`, under keys such as `cloud-nlp:sentiment.schedule`. A field that is `None` unless
the stack sets it has its default in the component that it is passed to.
"""

from __future__ import annotations

import json
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field, ValidationInfo, field_validator

from schema.defaults import IMAGE_NAME, IMAGE_PYTHON, IMAGE_VERSION
from schema.jobs import KINDS, model_of
from schema.languages import COMPREHEND
from schema.limits import JOB_OPTIONS_CHARACTERS, JOB_SECONDS
from settings_reader import (
    RUNNING_CODE,
    Contact,
    Email,
    EntriesError,
    Flag,
    Group,
    HostName,
    InstanceType,
    JobLabel,
    LogRetention,
    Number,
    Origin,
    OrUnset,
    ProjectId,
    PythonVersion,
    Schedule,
    SettingsError,
    Url,
    WholeNumber,
    leads_to_this_machine,
    one_of,
    read_settings,
)
from settings_sign_in import IdentityProviderSettings, SignInSettings

__all__ = [
    "ApiSettings",
    "FunctionSettings",
    "IdentityProviderSettings",
    "JobScheduleSettings",
    "JobSettings",
    "SentimentSettings",
    "Settings",
    "SettingsError",
    "host_architecture",
    "host_runtime",
    "load_settings",
    "parse_settings",
]

PROJECT = "cloud-nlp"
Language = Annotated[str, one_of(COMPREHEND)]
KindOfJob = Annotated[str, one_of(sorted(KINDS))]


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
    """Your e-mail address or web page, sent to the text source with each request; Wikipedia asks for it"""
    companies_per_segment: WholeNumber | None = Field(default=None, ge=1, le=100_000)
    """Companies sent per dispatch invocation; larger tables are split across several"""
    batch_window_seconds: WholeNumber | None = Field(default=None, ge=1, le=300)
    """Longest wait for a batch to fill up to 25 companies, in seconds"""
    analyse_timeout_seconds: WholeNumber | None = Field(default=None, ge=5, le=900)
    """Time limit of an analyse invocation, in seconds"""
    analyse_concurrency: WholeNumber | None = Field(default=None, ge=2, le=1000)
    """Batches analysed at once; limits the load on text source and Comprehend"""
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


class ApiSettings(SignInSettings):
    """The HTTP API."""

    origins: tuple[Origin, ...] = ()
    """Origins of web pages that may call the API, such as https://app.example.com"""
    requests_per_second: Number | None = Field(default=None, gt=0, le=10_000)
    """Sustained requests per second"""
    burst: WholeNumber | None = Field(default=None, ge=1, le=5_000)
    """Requests allowed at once"""
    costly_requests_per_second: Number | None = Field(default=None, gt=0, le=10_000)
    """Sustained requests per second for each of POST jobs and POST sentiment"""
    costly_burst: WholeNumber | None = Field(default=None, ge=1, le=5_000)
    """Requests allowed at once for each of POST jobs and POST sentiment"""
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


class JobScheduleSettings(Group):
    """Batch jobs of one kind that start on a schedule."""

    label: JobLabel
    """Short name, unique per kind"""
    kind: KindOfJob
    """Kind of the jobs"""
    schedule: Schedule
    """When jobs start, such as rate(1 day) or cron(0 2 * * ? *), in UTC"""
    project: ProjectId
    """Id of the project"""
    options: dict[str, Any] = Field(default={}, validate_default=True)
    """Options of the jobs, as in the API"""

    @field_validator("options")
    @classmethod
    def _accepted_by_the_kind(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if len(_json(options)) > JOB_OPTIONS_CHARACTERS:
            raise ValueError(f"at most {JOB_OPTIONS_CHARACTERS} characters")
        if "kind" not in info.data:
            return options
        kind = KINDS[info.data["kind"]]
        purposes = {option.name: f" ({option.description})" for option in kind.options}
        mistakes = kind.mistakes(options)
        if mistakes:
            raise EntriesError({one.option: one.expected + purposes.get(one.option, "") for one in mistakes})
        return options

    @property
    def options_json(self) -> str:
        """The options as jobs receive them."""
        return _json(self.options)

    @property
    def channels(self) -> dict[str, str]:
        """Values for the templates of the optional input channels of a job: the name of the model that it needs."""
        model = model_of(self.kind, self.options)
        return {"model": model} if model else {}


class JobSettings(Group):
    """Batch jobs."""

    image: OrUnset[str] = None
    """Container image in Amazon ECR, best with its digest; when not set, the SageMaker image that follows"""
    image_name: str = IMAGE_NAME
    """Repository of the SageMaker image"""
    image_version: str = IMAGE_VERSION
    """Tag of the SageMaker image"""
    python_version: PythonVersion = IMAGE_PYTHON
    """Python version of the image, for which packages are downloaded"""
    instance_type: InstanceType | None = None
    """SageMaker instance type"""
    instance_count: WholeNumber | None = Field(default=None, ge=1, le=20)
    """Instances that share the documents of a job"""
    volume_gb: WholeNumber | None = Field(default=None, ge=1, le=16_384)
    """Disk size per instance, in GB"""
    time_limit_seconds: WholeNumber | None = Field(default=None, ge=1, le=JOB_SECONDS)
    """Longest run time of a job, in seconds"""
    isolated_translation: Flag = False
    """Run translation jobs without a network, not even to AWS; MarianMT only"""
    schedules: tuple[JobScheduleSettings, ...] = ()
    """Jobs that start on a schedule"""

    @field_validator("schedules")
    @classmethod
    def _unique(cls, schedules: tuple[JobScheduleSettings, ...]) -> tuple[JobScheduleSettings, ...]:
        counts = Counter((one.kind, one.label) for one in schedules)
        if repeated := [f"{label!r} of {kind}" for (kind, label), count in counts.items() if count > 1]:
            raise ValueError(f"each label once per kind, not several times like {' and '.join(repeated)}")
        return schedules


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
    jobs: JobSettings = JobSettings()
    """Batch jobs"""


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
    return parse_settings(config, stack or pulumi.get_stack(), on_this_machine, secret_keys)


def parse_settings(
    config: dict[str, str], stack: str, on_this_machine: bool = False, secret_keys: Sequence[str] = ()
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

    Raises
    ------
    SettingsError
        One message for all mistakes.
    """
    return read_settings(
        Settings, config, PROJECT, stack, {"on_this_machine": on_this_machine, "secret_keys": secret_keys}
    )


def _json(options: dict[str, Any]) -> str:
    return json.dumps(options, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def host_architecture() -> Literal["arm64", "x86_64"]:
    """Return the processor architecture of this machine, in Lambda's terms."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def host_runtime() -> str:
    """Return the Python version of this process, in Lambda's terms."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
