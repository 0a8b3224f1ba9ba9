"""Errors of AWS as problems of this API."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from handlers.common.problems import Problem
from schema.aws_errors import THROTTLED, TRANSIENT

RETRY_SECONDS = 1


def problem_of(error: Exception) -> Problem | None:
    """Find the problem that a failed call of AWS means for the caller.

    Parameters
    ----------
    error
        The error that the call raised.

    Returns
    -------
    The problem, if the caller can try again; None if the error is a mistake in this program or its permissions.
    """
    if isinstance(error, (BotoCoreError, TimeoutError)):
        return Problem("unavailable", "A service did not answer. Try again.", retry_after=RETRY_SECONDS)
    if not isinstance(error, ClientError):
        return None
    reasons = error.response.get("CancellationReasons", [])
    codes = {error.response.get("Error", {}).get("Code", ""), *(reason.get("Code", "") for reason in reasons)}
    if codes & THROTTLED:
        return Problem("too-many-requests", "There are too many requests now. Try again.", retry_after=RETRY_SECONDS)
    if codes & TRANSIENT:
        return Problem("unavailable", "A service is not available. Try again.", retry_after=RETRY_SECONDS)
    return None
