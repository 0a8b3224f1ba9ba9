"""Validation of requests, field by field, so that all mistakes are reported at once."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from handlers.common.problems import FieldError, Problem, invalid

_PLACE = re.compile(r" - at `\$(?P<path>.*)`\Z")
_ABOUT_FIELD = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<field>[^`]*)`")
# Messages of this project's own checks name the field: "`target`: expected ..."
_OWN_CHECK = re.compile(r"`(?P<field>\w+)`: expected (?P<expected>.*)", re.DOTALL)
_TOO_MANY = "`array` of length <="
_NOT_A_CHOICE, _NOT_A_KIND = "Invalid enum value", "Invalid value"
_FIELD = re.compile(r"\.(\w+)")
WHOLE_BODY = "body"


def convert(value: Any, kind: Any, strict: bool = True) -> Any:
    """Convert a decoded value to a type.

    Parameters
    ----------
    value
        The decoded JSON body or query string.
    kind
        The type.
    strict
        Refuse numbers and truth values that are written as texts.

    Raises
    ------
    Problem
        The value does not fit the type; the problem names all fields that are wrong.
    """
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        errors = _all_errors(value, kind, strict) or [field_error(error, hint=kind)]
        if any(_TOO_MANY in wrong for wrong in (str(error), *(found.expected for found in errors))):
            detail = "; ".join(f"{found.field}: {found.expected}" for found in errors)
            raise Problem("request-too-large", detail, errors) from None
        raise invalid(*errors) from None


def _all_errors(value: Any, kind: Any, strict: bool) -> list[FieldError]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict)):
        return []
    hints = get_type_hints(kind, include_extras=True)
    errors = [
        FieldError(_name(name), f"one of the known fields: {', '.join(hints)}") for name in value if name not in hints
    ]
    required = [field.name for field in msgspec.structs.fields(kind) if field.required]
    errors += [FieldError(name, "this field, which is missing") for name in required if name not in value]
    for name, hint in hints.items():
        if name in value:
            try:
                msgspec.convert(value[name], hint, strict=strict)
            except msgspec.ValidationError as error:
                errors.append(field_error(error, name, hint))
    return errors


def field_error(error: msgspec.ValidationError, parent: str = "", hint: Any = None) -> FieldError:
    """Find out which field is wrong, and what was expected there.

    Parameters
    ----------
    error
        The error of msgspec.
    parent
        The field that was being converted.
    hint
        The type of that field.
    """
    message = str(error)
    place = _PLACE.search(message)
    path = parent + (place["path"] if place else "")
    text = _PLACE.sub("", message)
    about_field = _ABOUT_FIELD.match(text)
    own_check = _OWN_CHECK.match(text)
    if about_field:
        missing = about_field["what"].startswith("missing")
        path = f"{path}.{_name(about_field['field'])}"
        text = "this field, which is missing" if missing else "no such field"
    elif own_check:
        path, text = f"{path}.{own_check['field']}", own_check["expected"]
    elif "matching regex" in text or "length" in text:
        text = _described(hint) or text
    elif text.startswith(_NOT_A_KIND):
        text = f"one of {', '.join(str(kind.__struct_config__.tag) for kind in _structs(hint))}"
    elif text.startswith(_NOT_A_CHOICE):
        text = f"one of {', '.join(_choices(hint, _FIELD.findall(place['path']) if place else []))}"
    text = text.removeprefix("Expected ")
    return FieldError(path.strip(".") or WHOLE_BODY, text)


def _described(hint: Any) -> str:
    """Find the description of expected values that a type, or a member of a union, carries."""
    for candidate in (hint, *get_args(hint)):
        for meta in getattr(candidate, "__metadata__", ()):
            if meta.extra and "expected" in meta.extra:
                return meta.extra["expected"]
    return ""


def _choices(hint: Any, path: list[str]) -> list[str]:
    """List the allowed values of a type, or of the field at a path below it."""
    if path:
        hints = [get_type_hints(kind, include_extras=True) for kind in _structs(hint)]
        return [choice for fields in hints if path[0] in fields for choice in _choices(fields[path[0]], path[1:])]
    if get_origin(hint) is Literal:
        return [str(choice) for choice in get_args(hint)]
    return [choice for candidate in get_args(hint) for choice in _choices(candidate, [])]


def _structs(hint: Any) -> list[type[msgspec.Struct]]:
    """List the structs of a union, or the one struct that a type is."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    return [kind for candidate in get_args(hint) for kind in _structs(candidate)]


def _name(name: str) -> str:
    """Shorten the name of an unknown field where it is long."""
    return name if len(name) <= 100 else name[:100] + "..."
