"""The JSON 1.1 protocol and the registration in ministack, shared by all added services."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from local.aws.emulator import require

Response = tuple[int, dict[str, str], bytes]
Request = dict[str, Any]
Operation = Callable[[Request], Request]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Any]]


class ServiceError(Exception):
    """A request that a service refuses as a whole.

    Parameters
    ----------
    code, message
        As AWS's libraries see them.
    status
        Status of the answer.
    **members
        Further members of the error.
    """

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members


def register(service: str, target_prefix: str, handler: Handler) -> None:
    """Add a service to ministack, or replace it there: its routing, its IAM namespace and its handler.

    Parameters
    ----------
    service
        Name in IAM actions, such as ``sagemaker``.
    target_prefix
        Prefix of the operation's name in the ``X-Amz-Target`` header.
    handler
        Answers the requests that IAM allows.
    """
    from ministack import app
    from ministack.core import iam_actions, router

    require(iam_actions, "_DENIED_CODES")
    router.SERVICE_PATTERNS.setdefault(service, {"target_prefixes": [target_prefix], "host_patterns": []})
    iam_actions.SERVICE_TO_IAM_NAMESPACE[service] = service
    iam_actions._DENIED_CODES[service] = "AccessDeniedException"
    handlers: dict[str, Any] = app.SERVICE_HANDLERS
    handlers[service] = handler


def operation_of(headers: Mapping[str, str]) -> str:
    """Return the operation that a request names in its ``X-Amz-Target`` header, without the prefix."""
    return headers.get("x-amz-target", "").rpartition(".")[2]


def answer(operations: Mapping[str, Operation], operation: str, body: bytes) -> Response:
    """Return status, headers and body of the answer to a request.

    Parameters
    ----------
    operations
        Functions of the service, by the operation's name.
    operation
        Operation of the request.
    body
        JSON text of the request.
    """
    try:
        act = operations.get(operation)
        if act is None:
            raise ServiceError("UnknownOperationException", f"Operation {operation} is not known.")
        return _response(200, act(_parse(body)))
    except ServiceError as error:
        members = {"__type": error.code, "message": error.message, **error.members}
        return _response(error.status, members, error.code)


def _parse(body: bytes) -> Request:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", "The request is not valid JSON.") from error
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "The request is not a JSON object.")
    return request


def _response(status: int, body: Request, error_code: str | None = None) -> Response:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    if error_code:
        headers["x-amzn-errortype"] = error_code
    return status, headers, json.dumps(body, ensure_ascii=False).encode()
