"""How settings are read: types of their values, groups of fields, and mistakes in words."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

import pulumi
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, Strict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticKnownError

from schema.roles import ROLES
from schema.wikipedia import CONTACT_PATTERN

# Services that run code. Where they are emulated, it runs with this machine's Python.
RUNNING_CODE = ("lambda", "sfn")
# What was expected, by the type of pydantic's error.
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "text, in quotes where it looks like a number",
    "tuple_type": "a list",
}
_BOUNDS = {"ge": "from", "gt": "above", "le": "up to"}


class SettingsError(pulumi.RunError):
    """Some settings are wrong; the message names each with its value and what was expected."""


class EntriesError(ValueError):
    """Some entries of an object are wrong.

    Parameters
    ----------
    expected
        What was expected, by the key of each wrong entry.
    """

    def __init__(self, expected: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: expected {words}" for key, words in expected.items()))
        self.expected = expected


class Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def given(self, *fields: str, **arguments: str) -> dict[str, Any]:
        """Return the values that the stack sets, as keyword arguments for a component's args.

        Parameters
        ----------
        fields
            Fields to return under their own names. Without `fields` and `arguments`, all fields are returned.
        arguments
            Further fields, each with the name of its argument: `given(sign_in_prefix="domain_prefix")`.
        """
        known = type(self).model_fields
        names = {**{field: field for field in fields}, **arguments} or {field: field for field in known}
        values = {field: getattr(self, field) for field in names}
        return {
            names[field]: value
            for field, value in values.items()
            if field in self.model_fields_set and value is not None
        }


GroupType = TypeVar("GroupType", bound=Group)
Value = TypeVar("Value")


def from_text(value: Any) -> Any:
    """Read "true" and "5", which `pulumi config set` writes as text whatever the type."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            pass
    return value


def form(pattern: str, expected: str) -> AfterValidator:
    """Accept text of one form only.

    Parameters
    ----------
    pattern
        Regular expression for the whole text.
    expected
        The form in words, for the message.
    """

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(expected)
        return text

    return AfterValidator(check)


def one_of(choices: Sequence[str]) -> BeforeValidator:
    """Accept some texts only, as `Literal` does where the texts are known before the program runs.

    Parameters
    ----------
    choices
        At least two texts.
    """
    expected = f"{', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}"

    def check(value: Any) -> Any:
        if value not in choices:
            raise PydanticKnownError("literal_error", {"expected": expected})
        return value

    return BeforeValidator(check)


# Empty text means that the setting is not set.
OrUnset = Annotated[Value | None, BeforeValidator(lambda value: None if value == "" else value)]
Flag = Annotated[bool, Strict(), BeforeValidator(from_text)]
WholeNumber = Annotated[int, Strict(), BeforeValidator(from_text)]
Number = Annotated[float, Strict(), BeforeValidator(from_text)]
# Retention periods of CloudWatch Logs.
LogRetention = Annotated[
    Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653],
    BeforeValidator(from_text),
]
Schedule = Annotated[
    str,
    form(
        r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)|cron\(\S+( \S+){5}\)",
        "rate(number unit) or cron(six fields)",
    ),
]
Email = Annotated[str, form(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]
Url = Annotated[str, form(r"https?://[^\s/]+(/\S*)?", "an address that starts with https:// or http://")]
Origin = Annotated[str, form(r"https?://[^\s/]+", "a scheme and a host without a path")]
HostName = Annotated[str, form(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a host name in lower case")]
# Names of identity providers in Amazon Cognito, which are part of resources' names here.
ProviderName = Annotated[str, form(r"[A-Za-z][A-Za-z0-9-]{2,31}", "3 to 32 letters, digits and hyphens")]
# Cognito does not encode these characters where a person has several groups.
GROUP_NAME = r"[A-Za-z0-9._-]{1,80}"


def _name_roles(value: dict[str, Any]) -> dict[str, Any]:
    if not all(role in ROLES for role in value.values()):
        raise ValueError(f"an object of names, each with {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    return value


RolesByName = Annotated[dict[str, Any], AfterValidator(_name_roles)]
# Sender of e-mails, with or without a name: Cloud NLP <nlp@example.com>.
Sender = Annotated[
    str,
    form(r"([^<>@\r\n]+ <)?[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+(?(1)>)", "an e-mail address, or a name and an address in <>"),
]
SesIdentityArn = Annotated[
    str,
    form(
        r"arn:aws[a-z-]*:ses:[a-z0-9-]+:\d{12}:identity/\S+",
        "an ARN such as arn:aws:ses:REGION:ACCOUNT:identity/DOMAIN",
    ),
]
ClaimName = Annotated[str, form(r"[!-~]{1,200}", "at most 200 ASCII characters without blanks")]
Contact = Annotated[str, form(CONTACT_PATTERN, "at most 200 ASCII characters, without parentheses")]
# First part of a domain name of Amazon Cognito.
DomainPrefix = Annotated[
    str,
    form(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        "at most 63 lower-case letters, digits and hyphens, with no hyphen at either end",
    ),
]
JobLabel = Annotated[
    str, form(r"[a-z][a-z0-9-]{0,19}", "a letter and at most 19 letters, digits and hyphens, in lower case")
]
ProjectId = Annotated[str, form(r".{1,64}", "1 to 64 characters")]
PythonVersion = Annotated[str, form(r"3\.\d+", "a version such as 3.12")]
InstanceType = Annotated[str, form(r"ml\..*", "a type that starts with ml.")]


def read_settings(
    kind: type[GroupType], config: dict[str, str], project: str, stack: str, context: dict[str, Any]
) -> GroupType:
    """Turn a stack's raw values into settings.

    Parameters
    ----------
    kind
        Type of the settings.
    config
        Raw values by key, without the project's prefix: text, or JSON where the value is an object or a list.
    project
        Name of the project, which keys start with in messages.
    stack
        Name of the stack, for the message.
    context
        What validators need to know besides the values.

    Raises
    ------
    SettingsError
        One message for all mistakes.
    """
    try:
        return kind.model_validate({key: from_text(value) for key, value in config.items()}, context=context)
    except ValidationError as error:
        mistakes = [f"  {line}" for one in error.errors(include_url=False) for line in _mistakes(kind, project, one)]
        raise SettingsError("\n".join([f"Pulumi.{stack}.yaml has mistakes:", *mistakes])) from None


def _mistakes(kind: type[Group], project: str, error: ErrorDetails) -> list[str]:
    """Name settings, their values, what was expected and what the settings are for."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    name = f"{project}:{path.removeprefix('.')}"
    group, field = _find(kind, error["loc"])
    if field is None:
        return [f"{name}: unknown; the known settings here are {', '.join(sorted(group.model_fields))}"]
    if error["type"] == "missing":
        return [f"{name}: missing; it is required ({field.description})"]
    reason, given = error.get("ctx", {}).get("error"), error["input"]
    if isinstance(reason, EntriesError):
        return [
            f"{name}.{key}: {_json(given[key]) if key in given else 'not set'}; expected {expected}"
            for key, expected in reason.expected.items()
        ]
    # Only defaults are checked without having been set, and only by validators of this project.
    is_default = error["type"] == "value_error" and given in (None, ())
    value = "not set" if is_default else "(hidden)" if _holds_secret(field) else _json(given)
    return [f"{name}: {value}; expected {_expected(error, field)} ({field.description})"]


def _holds_secret(field: FieldInfo) -> bool:
    """Tell whether a field's value is a secret, or has one inside, and must not be shown."""
    group = _group_in(field)
    inside = group is not None and any(map(_holds_secret, group.model_fields.values()))
    return inside or SecretStr in (field.annotation, *get_args(field.annotation))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _expected(error: ErrorDetails, field: FieldInfo) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return context["expected"]
        case "model_type":
            group = _group_in(field)
            return f"an object with {', '.join(group.model_fields)}" if group else "an object"
    bounds = [
        f" {word} {getattr(constraint, bound)}"
        for constraint in field.metadata
        for bound, word in _BOUNDS.items()
        if hasattr(constraint, bound)
    ]
    return _EXPECTED.get(error["type"], "a number" if bounds else error["msg"]) + "".join(bounds)


def _find(kind: type[Group], path: tuple[int | str, ...]) -> tuple[type[Group], FieldInfo | None]:
    """Find the innermost group on a path, and the field that the path ends at: `None` where there is no such field."""
    group, field = kind, None
    for part in path:
        if isinstance(part, str):
            group = (field and _group_in(field)) or group
            field = group.model_fields.get(part)
    return group, field


def _group_in(field: FieldInfo) -> type[Group] | None:
    """Find the group that a field holds, or holds a list of."""
    candidates = (field.annotation, *get_args(field.annotation))
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, Group)), None)


def leads_to_this_machine(endpoints: str | None) -> bool:
    """Whether functions and jobs run on this machine.

    Parameters
    ----------
    endpoints
        The provider's setting `aws:endpoints`: JSON, a list of objects with addresses by service.

    Returns
    -------
    `True` where addresses are named for all services that run code and every named address is one of this machine. A
    single service that leads elsewhere is enough for `False`: parts of the stack would then be made on AWS.
    """
    try:
        addresses = {service: address for group in json.loads(endpoints or "[]") for service, address in group.items()}
        hosts = [urlsplit(address).hostname or "" for address in addresses.values()]
    except (ValueError, TypeError, AttributeError):
        return False  # the provider reports what is wrong with it
    return all(service in addresses for service in RUNNING_CODE) and all(map(_is_this_machine, hosts))


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
