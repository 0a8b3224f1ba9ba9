"""Latency, faults and request counts for every service of the embedded AWS.

The layer wraps ministack's service handlers, behind IAM: a request that IAM refuses is neither delayed nor counted.
Traffic inside ministack, such as polling a queue for a function, does not pass it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self
from urllib.parse import unquote

from local.aws.operations import Query, operation_of

Response = tuple[int, dict[str, str], Any]
Handler = Callable[[str, str, dict[str, str], bytes, Query], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and for which requests.

    Parameters
    ----------
    service
        Service as in `FaultPlan.counts`, for example ``dynamodb``.
    operation
        Operation, for example ``PutItem``; None for all.
    contains
        Text that the request's path or body must contain; with `item_error`, that the document must contain.
    times
        How many requests it hits; None for all until it is cleared.
    status, code, message
        The error that is answered instead of the service's answer. Without a code the request only suffers `delay`.
    delay
        Seconds to wait first.
    item_error
        Error code for single documents of Comprehend's BatchDetectSentiment; the others are answered as usual.
    drop
        Break the connection instead of an answer: ``request`` before the service acts, ``response`` after it has acted.
    """

    service: str
    operation: str | None = None
    contains: str | None = None
    times: int | None = None
    status: int = 500
    code: str | None = None
    message: str = "Injected fault."
    delay: float = 0.0
    item_error: str | None = None
    drop: Literal["request", "response"] | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the fault that a JSON object describes.

        Raises
        ------
        ValueError
            When a name is unknown, a required one is missing, or the fault would have no effect.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"A fault has no {', '.join(unknown)}.")
        if not values.get("service"):
            raise ValueError("A fault needs a service.")
        fault = cls(**values)
        if fault.drop not in (None, "request", "response"):
            raise ValueError(f"drop is request or response, not {fault.drop}.")
        if not (fault.code or fault.delay or fault.item_error or fault.drop):
            raise ValueError("A fault needs one of code, delay, item_error and drop.")
        return fault

    def matches(self, service: str, operation: str, content: str) -> bool:
        """Return whether a request is hit; `content` is its path and body."""
        return (
            self.service == service
            and self.operation in (None, operation)
            # JSON bodies usually arrive with everything but ASCII escaped.
            and (not self.contains or self.contains in content or json.dumps(self.contains)[1:-1] in content)
        )


class FaultPlan:
    """The faults, latencies and counts of a running embedded AWS; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._service_names: dict[str, str] = {}
        self._ids = itertools.count(1)
        self._faults: dict[int, Fault] = {}
        self._left: dict[int, int] = {}
        self._latencies: dict[str, float] = {}
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def know(self, names: Mapping[str, str]) -> None:
        """Take note of the services there are: each name and alias, with the name that requests are counted under."""
        self._service_names = dict(names)

    def add(self, fault: Fault) -> int:
        """Add a fault and return its number. Of several that match a request the oldest acts.

        Raises
        ------
        ValueError
            When there is no such service.
        """
        fault = replace(fault, service=self._known(fault.service))
        with self._lock:
            number = next(self._ids)
            self._faults[number] = fault
            if fault.times is not None:
                self._left[number] = fault.times
            return number

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()
            self._left.clear()

    def set_latency(self, service: str, seconds: float) -> None:
        """Make every answer of a service take this much longer, in seconds; 0 ends it."""
        name = self._known(service)
        with self._lock:
            self._latencies[name] = seconds

    def latency(self, service: str) -> float:
        """Return the latency set for a service in seconds."""
        return self._latencies.get(service, 0.0)

    def take(self, service: str, operation: str, content: str) -> Fault | None:
        """Return the fault that hits a request, and use up one of its times."""
        with self._lock:
            for number, fault in self._faults.items():
                if not fault.matches(service, operation, content):
                    continue
                if number in self._left:
                    self._left[number] -= 1
                    if self._left[number] <= 0:
                        del self._faults[number], self._left[number]
                return fault
        return None

    def count(self, service: str, operation: str) -> None:
        """Count one request."""
        with self._lock:
            self._counts[service][operation] += 1

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of requests by service and operation."""
        with self._lock:
            return {service: dict(operations) for service, operations in self._counts.items()}

    def reset_counts(self) -> None:
        """Start counting from zero."""
        with self._lock:
            self._counts.clear()

    def clear(self) -> None:
        """Remove faults, latencies and counts."""
        self.clear_faults()
        self.reset_counts()
        with self._lock:
            self._latencies.clear()

    def _known(self, service: str) -> str:
        if self._service_names and service not in self._service_names:
            raise ValueError(f"There is no service {service}.")
        return self._service_names.get(service, service)


def install(plan: FaultPlan) -> None:
    """Put the layer around every service that is registered in ministack at this moment."""
    from ministack import app

    plan.know({name: name for name in app.SERVICE_HANDLERS} | app.SERVICE_NAME_ALIASES)
    handlers: dict[str, Any] = app.SERVICE_HANDLERS
    for service, handler in handlers.items():
        handlers[service] = around(service, handler, plan)


def around(service: str, handler: Handler, plan: FaultPlan) -> Handler:
    """Return a handler that counts, delays and spoils requests on their way to the given one."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Query) -> Response:
        operation = operation_of(service, method, path, headers, body, query)
        plan.count(service, operation)
        fault = plan.take(service, operation, f"{unquote(path)}\n{body.decode(errors='replace')}")
        delay = plan.latency(service) + (fault.delay if fault else 0.0)
        if delay:
            await asyncio.sleep(delay)
        if fault and fault.code:
            return error_response(service, fault, headers)
        if fault and fault.drop == "request":
            return _broken_connection()
        status, response_headers, response_body = await handler(method, path, headers, body, query)
        if fault and fault.drop == "response":
            return _broken_connection()
        if fault and fault.item_error and status == 200:
            response_body = fail_documents(body, response_body, fault)
        return status, response_headers, response_body

    return handle


def error_response(service: str, fault: Fault, headers: dict[str, str]) -> Response:
    """Return the error of a fault as the service would write it: JSON, query XML, S3's XML or CBOR."""
    from ministack.core.iam_actions import access_denied_response

    _, response_headers, body = access_denied_response(
        service, "", "", str(uuid.uuid4()), error_code=fault.code or "", message=fault.message, headers=headers
    )
    return fault.status, response_headers, body


def fail_documents(request_body: bytes, response_body: bytes, fault: Fault) -> bytes:
    """Return a BatchDetectSentiment answer in which the fault's documents are errors instead of results."""
    texts: list[str] = json.loads(request_body)["TextList"]
    answer = json.loads(response_body)
    failing = {index for index, text in enumerate(texts) if not fault.contains or fault.contains in text}
    errors = [{"Index": index, "ErrorCode": fault.item_error, "ErrorMessage": fault.message} for index in failing]
    answer["ResultList"] = [result for result in answer["ResultList"] if result["Index"] not in failing]
    kept = [error for error in answer["ErrorList"] if error["Index"] not in failing]
    answer["ErrorList"] = sorted(kept + errors, key=lambda error: error["Index"])
    return json.dumps(answer, ensure_ascii=False).encode()


def _broken_connection() -> Response:
    """Return an answer that ends before its announced length, upon which the server closes the connection."""
    from ministack.core.responses import StreamingResponse

    async def send_nothing(_send: object, _receive: object) -> None:
        return

    return 200, {"Content-Length": "1"}, StreamingResponse(send_nothing)
