"""The wrapper of every endpoint: it checks roles, logs requests, and turns errors into problems."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from handlers.api.support.answers import Answer, problem_answer, to_gateway
from handlers.api.support.audit import audit
from handlers.api.support.aws_errors import problem_of
from handlers.api.support.requests import Request
from handlers.api.support.roles import RoleCheck
from handlers.common.logs import logger, start_request
from handlers.common.problems import Problem

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def endpoint(run: Callable[[Request], Answer], public: bool = False) -> Handler:
    """Make the Lambda handler of an endpoint.

    Parameters
    ----------
    run
        Answers a request, or raises a `Problem`.
    public
        The endpoint needs no token. All others refuse requests without one, even if the route lacks its authorizer.

    Returns
    -------
    The handler that API Gateway calls. It never logs bodies or tokens.
    """
    check = None if public else RoleCheck()

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        started = time.monotonic()
        request = Request(event)
        start_request(context, gateway_request=request.gateway_id, route=request.route)
        answer = _answer(run, request, check)
        audit(request, answer)
        milliseconds = round((time.monotonic() - started) * 1000)
        logger.info("answered", extra={"status": answer.status, "milliseconds": milliseconds})
        return to_gateway(answer)

    return handler


def _answer(run: Callable[[Request], Answer], request: Request, check: RoleCheck | None) -> Answer:
    try:
        if check:
            check(request)
        return run(request)
    except Problem as problem:
        return problem_answer(problem)
    except Exception as error:
        logger.exception("failed")
        expected = problem_of(error)
        return problem_answer(expected or Problem("unexpected", "The request failed; it was logged with its id."))
