"""Answers, as API Gateway expects them from a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.common.problems import Problem

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


class Answer(msgspec.Struct, frozen=True):
    """What an endpoint answers.

    Attributes
    ----------
    status
        The HTTP status.
    body
        JSON; empty where the status says all.
    headers
        Besides the content type.
    content_type
        Of the body.
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
        What to answer.
    headers
        Further headers, such as `location`.
    """
    return Answer(status, msgspec.json.encode(body).decode(), headers)


def no_content() -> Answer:
    """Answer that it is done, and that there is nothing more to say."""
    return Answer(204)


def problem_answer(problem: Problem) -> Answer:
    """Answer that the request is refused."""
    headers = {"retry-after": str(problem.retry_after)} if problem.retry_after else {}
    return Answer(problem.status, msgspec.json.encode(problem.details).decode(), headers, PROBLEM_JSON)


def to_gateway(given: Answer) -> dict[str, Any]:
    """Put an answer into the form of payload format 2.0."""
    # Answers are about one user, and hold links that need no token: nobody on the way keeps them.
    headers: Mapping[str, str] = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **({"content-type": given.content_type} if given.body else {}),
        **given.headers,
    }
    return {"statusCode": given.status, "headers": headers, "body": given.body}
