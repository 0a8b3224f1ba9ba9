"""Answers in the form that API Gateway expects from a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.common.problems import Problem

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


class Answer(msgspec.Struct, frozen=True):
    """An endpoint's answer.

    Attributes
    ----------
    status
        The HTTP status.
    body
        JSON; empty where there is no body.
    headers
        Headers besides the content type.
    content_type
        Media type of the body.
    """

    status: int
    body: str = ""
    headers: dict[str, str] = {}
    content_type: str = JSON


def answer(status: int, body: msgspec.Struct, **headers: str) -> Answer:
    """Answer with a body.

    Parameters
    ----------
    status
        The HTTP status.
    body
        The body.
    headers
        Further headers, such as `location`.
    """
    return Answer(status, msgspec.json.encode(body).decode(), headers)


def no_content() -> Answer:
    """Answer success without a body."""
    return Answer(204)


def problem_answer(problem: Problem) -> Answer:
    """Answer a refusal."""
    headers = {"retry-after": str(problem.retry_after)} if problem.retry_after else {}
    return Answer(problem.status, msgspec.json.encode(problem.details).decode(), headers, PROBLEM_JSON)


def to_gateway(given: Answer) -> dict[str, Any]:
    """Convert an answer to payload format 2.0."""
    # Answers are for one user and may hold links that need no token, so no cache may keep them.
    headers: Mapping[str, str] = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **({"content-type": given.content_type} if given.body else {}),
        **given.headers,
    }
    return {"statusCode": given.status, "headers": headers, "body": given.body}
