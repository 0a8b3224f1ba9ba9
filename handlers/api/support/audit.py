"""Audit lines: who changed what, when, and with which outcome.

A line has `audit: true`, so that one query finds them in the logs of all endpoints (docs/people.md). It is written
whatever level the functions log. It has ids and counts, but never contents, tokens or other secrets.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from handlers.api.support.answers import Answer
from handlers.api.support.requests import Request
from handlers.common.logs import logger
from schema.problems import TYPE_PREFIX

_READING = ("GET", "HEAD", "OPTIONS")
# Claims that name a person, the most telling first.
_NAMES = ("email", "preferred_username", "username", "cognito:username")
_audit_logger = logger.getChild("audit")
_audit_logger.setLevel(logging.INFO)


def audit(request: Request, answer: Answer) -> None:
    """Write the audit line of a request, unless it only reads.

    Parameters
    ----------
    request
        The request, with the facts that its endpoint noted.
    answer
        The answer, a refusal included.
    """
    if request.method in _READING:
        return
    _audit_logger.info("change", extra=_line(request, answer))


def _line(request: Request, answer: Answer) -> dict[str, Any]:
    claims = request.claims
    made = answer.headers.get("location")
    problem = _problem(answer)
    return {
        "audit": True,
        "user": str(claims.get("sub", "")),
        "user_name": next((str(claims[name]) for name in _NAMES if claims.get(name)), ""),
        "resource": {**request.path_parameters, **({"made": made} if made else {})},
        "facts": request.notes,
        "outcome": "done" if answer.status < 400 else "refused" if answer.status < 500 else "failed",
        "status": answer.status,
        **({"problem": problem} if problem else {}),
    }


def _problem(answer: Answer) -> str:
    if answer.status < 400:
        return ""
    try:
        details = msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.MsgspecError:  # the line matters more than this part of it
        return ""
    return str(details.get("type", "")).removeprefix(TYPE_PREFIX)
