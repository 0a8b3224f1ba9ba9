"""Validation of requests against the constraints of AWS's own service models, worded as AWS words it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from local.aws.json_service import Request, ServiceError

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "float": (int, float),
    "timestamp": (int, float, str),
}


def validate(service: str, operation: str, request: Request) -> None:
    """Check a request against the lengths, ranges, patterns and values that the service's model allows.

    Parameters
    ----------
    service
        Service as boto3 knows it.
    operation
        Operation, such as ``CreateProcessingJob``.
    request
        The request's JSON.

    Raises
    ------
    ServiceError
        ``ValidationException`` with all violations, or ``SerializationException`` for a value of a wrong type.
    """
    shape: Shape | None = service_model(service).operation_model(operation).input_shape  # type: ignore[assignment]
    found = list(_violations(request, shape, "")) if shape is not None else []
    if found:
        plural = "s" if len(found) > 1 else ""
        raise ServiceError("ValidationException", f"{len(found)} validation error{plural} detected: {'; '.join(found)}")


@functools.cache
def service_model(service: str) -> ServiceModel:
    """Return the model of a service that boto3 comes with."""
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def _violations(value: Any, shape: Shape, path: str) -> Iterator[str]:
    _check_type(value, shape, path)
    yield from (_failure(value, path, constraint) for constraint in _broken_constraints(value, shape))
    if shape.type_name == "structure":
        yield from _member_violations(value, shape, path)
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield from _violations(item, shape.member, f"{path}.{number}.member")  # type: ignore[attr-defined]
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _violations(key, shape.key, f"{path}.key")  # type: ignore[attr-defined]
            yield from _violations(item, shape.value, f"{path}.{key}.member")  # type: ignore[attr-defined]


def _member_violations(value: Request, shape: Any, path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inner = f"{path}.{_lower_first(name)}".lstrip(".")
        if value.get(name) is not None:
            yield from _violations(value[name], member, inner)
        elif name in shape.required_members:
            yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"


def _broken_constraints(value: Any, shape: Any) -> Iterator[str]:
    limits = shape.metadata
    counted = isinstance(value, (str, list, dict))
    size = len(value) if counted else value
    measure = "have length" if counted else "have value"
    if "min" in limits and size < limits["min"]:
        yield f"Member must {measure} greater than or equal to {limits['min']}"
    if "max" in limits and size > limits["max"]:
        yield f"Member must {measure} less than or equal to {limits['max']}"
    if limits.get("enum") and value not in limits["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
    pattern = limits.get("pattern")
    if pattern and isinstance(value, str) and not _matches(pattern, value):
        yield f"Member must satisfy regular expression pattern: {pattern}"


def _matches(pattern: str, text: str) -> bool:
    if "\\p" in pattern or "\\P" in pattern:
        return True  # a class of Unicode characters, which Python's expressions do not have
    return re.fullmatch(pattern, text) is not None


def _check_type(value: Any, shape: Shape, path: str) -> None:
    expected = _TYPES.get(shape.type_name)
    wrong_bool = isinstance(value, bool) and shape.type_name in ("integer", "long", "float")
    if expected and (wrong_bool or not isinstance(value, expected)):
        raise ServiceError("SerializationException", f"{path or 'The request'} is not a {shape.type_name}.")


def _failure(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _lower_first(name: str) -> str:
    return name[0].lower() + name[1:]
