"""Types of the declarations of job kinds; the declarations themselves are in `schema/jobs.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class OptionError(ValueError):
    """An option has a value that the job cannot work with.

    Parameters
    ----------
    option
        Name of the option.
    expected
        What it should be, as a phrase.
    """

    def __init__(self, option: str, expected: str) -> None:
        super().__init__(f"`{option}`: expected {expected}")
        self.option = option
        self.expected = expected


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of a kind of job.

    Attributes
    ----------
    name
        Field of the request's `options`.
    flag
        Option of the command line, such as `--to`.
    description
        What it sets, as a phrase.
    choices
        Allowed texts; the option is an integer when empty.
    service
        Service that defines the language codes in `choices`, for messages; empty if the choices are not languages.
    minimum, maximum
        Bounds of an integer.
    default
        Value when the option is absent; None where `when_absent` says what happens.
    required
        The option must be given.
    when_absent
        What happens without the option, as a phrase for help texts.
    examples
        Values for the API's description; help texts show the first one.
    """

    name: str
    flag: str
    description: str
    choices: tuple[str, ...] = ()
    service: str = ""
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | None = None
    required: bool = False
    when_absent: str = ""
    examples: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """The allowed values, as a phrase."""
        if self.choices:
            one_of = f"one of {', '.join(self.choices)}"
            return f"a language code of {self.service}, {one_of}" if self.service else one_of
        bounds = {" from": self.minimum, " up to": self.maximum}
        return "a whole number" + "".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)

    def allows(self, value: Any) -> bool:
        """Tell whether the option may have a value; None means that the option is absent, and has no default."""
        if value is None:
            return not self.required and self.default is None
        if self.choices:
            return value in self.choices
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """An input of a job: objects that SageMaker copies to the container.

    Attributes
    ----------
    name
        Folder in the container: `/opt/ml/processing/input/<name>`.
    field
        Field of the execution's input that holds the address.
    prefix
        Template of the objects' prefix.
    sharded
        Several instances share the objects; otherwise each instance gets all of them.
    optional
        The field may be missing; the job then lacks this channel.
    """

    name: str
    field: str
    prefix: str
    sharded: bool = False
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that the options of a job need; the channel `model` brings its files.

    Attributes
    ----------
    name
        Name of its folder in the bucket.
    missing
        Why a job is refused when there is no such folder.
    """

    name: str
    missing: OptionError


def _check_nothing(_options: Mapping[str, Any]) -> None:
    """Accept every combination of options."""


def _no_model(_options: Mapping[str, Any], _isolated: bool) -> Model | None:
    """Need no model."""
    return None


def _use_nothing(_options: Mapping[str, Any], _characters: int, _documents: int) -> Mapping[str, int]:
    """Use no paid service."""
    return {}


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A kind of batch job.

    Attributes
    ----------
    name
        Lower-case letters, digits and hyphens, at most 20.
    summary
        What a job does, as a sentence.
    program
        Module of the batch program that runs such jobs: its function `run(job, options)` returns a report, and
        `merge(parts, output, options)`, if it exists, merges the results of several instances.
    options
        What a user may choose.
    actions
        IAM actions of the services that the program calls; only actions without resource-level permissions.
    channels
        Inputs besides the program itself.
    can_be_isolated
        With some options, the program calls no AWS service, so its container can run without a network.
    check
        Raises `OptionError` if options contradict each other. Gets all options, including defaults.
    model
        Returns the model that the options need, or None. Gets all options, and whether the job runs without a network.
        Raises `OptionError` if the options need a network and the job has none.
    most_usage
        Returns the most that a job can use of paid services, by the names of `schema.prices.PRICES`; nothing where it
        calls none. Gets all options, the characters that it may send, and the number of documents.
    """

    name: str
    summary: str
    program: str
    options: tuple[Option, ...] = ()
    actions: tuple[str, ...] = ()
    channels: tuple[Channel, ...]
    can_be_isolated: bool = False
    check: Callable[[Mapping[str, Any]], None] = _check_nothing
    model: Callable[[Mapping[str, Any], bool], Model | None] = _no_model
    most_usage: Callable[[Mapping[str, Any], int, int], Mapping[str, int]] = _use_nothing

    def is_paid(self, options: Mapping[str, Any]) -> bool:
        """Tell whether a job with these options, including defaults, calls paid services."""
        return bool(self.most_usage(options, 1, 1))

    def with_defaults(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Add the defaults of the options that are absent."""
        return {option.name: option.default for option in self.options} | dict(options)

    def mistakes(self, options: Mapping[str, Any]) -> list[OptionError]:
        """Find what is wrong with the options of a job.

        Returns
        -------
        One mistake per option: it is unknown, required but absent, or has a value that is not allowed. Where there is
        none of these, the contradiction that `check` finds, if any.
        """
        declared = {option.name: option for option in self.options}
        known = f"an option of {self.name} jobs: {', '.join(declared) or 'there are none'}"
        mistakes = [OptionError(name, known) for name in options if name not in declared]
        for name, option in declared.items():
            if not option.allows(options[name]) if name in options else option.required:
                mistakes.append(OptionError(name, option.expected))
        if not mistakes:
            try:
                self.check(self.with_defaults(options))
            except OptionError as error:
                mistakes.append(error)
        return mistakes
