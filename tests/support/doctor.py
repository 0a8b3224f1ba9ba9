"""An AWS account for the doctor's checks, whose services answer what a test gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from cli.aws.doctor.checks import Check, run_check
from cli.aws.doctor.finding import Finding
from cli.aws.doctor.surroundings import Surroundings
from cli.aws.stack_settings import StackSettings

ROLE = "arn:aws:iam::123456789012:role/ci/deployer"
SESSION = "arn:aws:sts::123456789012:assumed-role/deployer/run-1"


def refused(code: str = "AccessDeniedException", operation: str = "Any") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not authorized"}}, operation)


class Service:
    """A client whose operations answer what a test gives: a value, an error, or a function of the request."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.requests.append(request)
            answer = self._answers[operation]
            if isinstance(answer, Exception):
                raise answer
            return answer(**request) if callable(answer) else answer

        return call

    def get_paginator(self, operation: str) -> Any:
        outer = self

        class Paginator:
            def paginate(self, **request: Any) -> Iterator[Any]:
                yield getattr(outer, operation)(**request)

        return Paginator()


def around(services: dict[str, Service] | None = None, stack: str = "dev", **groups: Any) -> Surroundings:
    config = {"aws:region": "eu-central-1", **{f"cloud-nlp:{name}": values for name, values in groups.items()}}
    made = Surroundings(StackSettings(stack, config), lambda service, _region: (services or {})[service])
    made.account, made.caller_arn = "123456789012", SESSION
    return made


def finding_of(check: Check, where: Surroundings) -> Finding:
    [found] = run_check("check", check, where)
    return found


def status_of(check: Check, where: Surroundings) -> str:
    return finding_of(check, where).status
