"""Options of `nlp jobs start`, made from the declarations of the kinds of jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from schema.job_kind import JobKind, Option
from schema.jobs import KINDS


def kind_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options of all kinds; kinds that have the same flag share its declaration."""
    by_flag: dict[str, dict[str, Option]] = {}
    for kind in KINDS.values():
        for option in kind.options:
            by_flag.setdefault(option.flag, {})[kind.name] = option
    for flag, options in reversed(by_flag.items()):
        value, metavar = _value(list(options.values()))
        text = " ".join(f"{name}: {_help(option)}" for name, option in options.items())
        command = click.option(flag, _parameter(flag), type=value, metavar=metavar, help=text)(command)
    return command


def fields_of_flags(kind: str) -> dict[str, str]:
    """Map the flags of a kind to the fields of the request's `options`."""
    return {option.flag: option.name for option in KINDS[kind].options}


def checked_options(kind: str, values: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """Make the request's options.

    Parameters
    ----------
    kind : str
        The kind of job.
    values : mapping
        The values of all flags by the names of their parameters; None where a flag was not given.

    Raises
    ------
    click.UsageError
        When a flag is not one of this kind, or a required one is missing.
    """
    fields = {_parameter(flag): field for flag, field in fields_of_flags(kind).items()}
    given = {parameter: value for parameter, value in values.items() if value is not None}
    wrong = [f"--{parameter.replace('_', '-')}" for parameter in given if parameter not in fields]
    if wrong:
        raise click.UsageError(f"A job of kind {kind} has no {' and no '.join(wrong)}.")
    _require(KINDS[kind], given)
    return {fields[parameter]: value for parameter, value in given.items()}


def _require(kind: JobKind, given: Mapping[str, str | int]) -> None:
    for option in kind.options:
        if option.required and _parameter(option.flag) not in given:
            values = (*option.examples, *option.choices, option.minimum)
            example = next(value for value in values if value is not None)
            raise click.UsageError(f"Say the {option.description}, such as: {option.flag} {example}")


def _parameter(flag: str) -> str:
    """Name the parameter of a flag: `--summary-sentences` fills `summary_sentences`."""
    return flag.removeprefix("--").replace("-", "_")


def _value(options: list[Option]) -> tuple[click.ParamType, str | None]:
    """Choose type and placeholder of a flag's value. The API alone checks languages, and what differs between kinds."""
    first = options[0]
    is_same = len({(one.service, one.choices, one.minimum, one.maximum) for one in options}) == 1
    if first.service:
        return click.STRING, "LANGUAGE"
    if first.choices:
        return (click.Choice(first.choices), None) if is_same else (click.STRING, "NAME")
    return (click.IntRange(first.minimum, first.maximum) if is_same else click.INT), "N"


def _help(option: Option) -> str:
    if option.when_absent:
        return f"{option.description}. [default: {option.when_absent}]"
    return f"{option.description}, such as {option.examples[0]}." if option.examples else f"{option.description}."
