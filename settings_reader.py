"""How settings are read: raw values of a stack's file become typed groups, and every mistake is reported at once."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import pulumi

Group = TypeVar("Group", bound=msgspec.Struct)


class SettingsError(pulumi.RunError):
    """Some settings are wrong; the message names each with its value and what was expected."""


def convert_settings(kind: type[Group], config: dict[str, str], project: str, mistakes: list[str]) -> Group | None:
    """Turn raw values into settings.

    Parameters
    ----------
    kind
        Of the settings: groups, whose fields are described types.
    config
        By key, without the project's prefix: texts, or JSON where the value is an object or a list.
    project
        What keys are called by in messages.
    mistakes
        Where mistakes are added, a line each.

    Returns
    -------
    The settings, or `None` where there are mistakes.
    """
    values = _convert(kind, {key: _parse_json(value) for key, value in config.items()}, f"{project}:", mistakes)
    return None if mistakes else kind(**values)


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
        name = f"{path}{key}"
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
