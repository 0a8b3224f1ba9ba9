"""Per-stack settings: everything that differs between stacks, typed, described and checked.

Values come from `Pulumi.<stack>.yaml`, under keys such as `cloud-nlp:sentiment.schedule`.
"""

from __future__ import annotations

import json
import platform
import sys
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pulumi
from msgspec import Meta

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


class FunctionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


class SentimentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of a stack."""

    protect: Annotated[bool, Meta(description="Keep tables and buckets from being deleted")] = False
    notify_emails: Annotated[
        tuple[Annotated[str, Meta(pattern=_EMAIL)], ...],
        Meta(description="Who is told when an alarm is raised"),
    ] = ()
    functions: Annotated[FunctionSettings, Meta(description="How Lambda functions run")] = FunctionSettings()
    sentiment: Annotated[SentimentSettings, Meta(description="The sentiment pipeline")] = SentimentSettings()


class SettingsError(Exception):
    """Some settings are wrong; the message names each with its value and what was expected."""


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
    values = _convert(Settings, {key: _parse_json(value) for key, value in config.items()}, "", mistakes)
    if mistakes:
        raise SettingsError("\n".join([f"Pulumi.{stack}.yaml has mistakes:", *(f"  {line}" for line in mistakes)]))
    return Settings(**values)


def _parse_json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _convert(kind: type[msgspec.Struct], given: dict[str, Any], path: str, mistakes: list[str]) -> dict[str, Any]:
    """Convert a group of settings field by field, so that one mistake does not hide the next."""
    hints = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for key, value in given.items():
        name = f"{PROJECT}:{path}{key}"
        if key not in hints:
            mistakes.append(f"{name}: unknown; known are {', '.join(sorted(hints))}")
            continue
        hint = hints[key]
        group, meta = hint.__origin__, hint.__metadata__[0]
        if isinstance(group, type) and issubclass(group, msgspec.Struct):
            if isinstance(value, dict):
                values[key] = group(**_convert(group, value, f"{path}{key}.", mistakes))
            else:
                mistakes.append(f"{name}: {value!r}; expected an object with {', '.join(get_type_hints(group))}")
            continue
        try:
            values[key] = msgspec.convert(value, hint, strict=False)
        except msgspec.ValidationError as error:
            mistakes.append(f"{name}: {value!r}; {_expected(error, hint)} ({meta.description})")
    return values


def _expected(error: msgspec.ValidationError, hint: Any) -> str:
    """Say what a value should have been, in words that read well behind it."""
    message = str(error).partition(" - at ")[0]
    if get_origin(hint.__origin__) is Literal:
        return f"expected one of {', '.join(str(choice) for choice in get_args(hint.__origin__))}"
    if "matching regex" in message:
        return "not of the form that is expected"
    return message[:1].lower() + message[1:].replace("`", "")


def host_architecture() -> Literal["arm64", "x86_64"]:
    """Processor of this machine, as Lambda names it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def host_runtime() -> str:
    """Python of this process, as Lambda names it."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
