"""The endpoints with the types of their requests and answers, for the OpenAPI document and the tests.

It imports the types of all endpoints. Therefore no function imports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from schema.endpoint import Endpoint
from schema.endpoints import ENDPOINTS


@dataclass(frozen=True, kw_only=True)
class Operation(Endpoint):
    """An endpoint with the types that its declaration names.

    Attributes
    ----------
    parameter_types
        By name, types of those parameters in the path that are no ids.
    query_type, request_type
        Types of the query string and of the body; None where there is none.
    answer_types
        By status, types of the bodies of answers; None where there is none.
    """

    parameter_types: Mapping[str, Any]
    query_type: Any
    request_type: Any
    answer_types: Mapping[int, Any]


def operation_of(endpoint: Endpoint) -> Operation:
    """Import the types that an endpoint's declaration names."""
    return Operation(
        **vars(endpoint),
        parameter_types={name: _type(reference) for name, reference in endpoint.parameters.items()},
        query_type=_type(endpoint.query),
        request_type=_type(endpoint.request),
        answer_types={status: _type(reference) for status, (reference, _) in endpoint.answers.items()},
    )


def _type(reference: str | None) -> Any:
    return resolve_name(reference) if reference else None


OPERATIONS = tuple(operation_of(endpoint) for endpoint in ENDPOINTS)
