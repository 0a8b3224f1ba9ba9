"""What AWS refuses, in terms of this API."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from handlers.common.problems import Problem

RETRY_SECONDS = 1
# As the services name it, in error codes and in reasons of cancelled transactions.
_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
}
_PASSING = {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}


def problem_of(error: Exception) -> Problem | None:
    """Say what a failed call means to whoever sent the request.

    Parameters
    ----------
    error
        What was raised.

    Returns
    -------
    The problem, where trying again makes sense; otherwise None: it is a mistake in this program or its permissions.
    """
    if isinstance(error, (BotoCoreError, TimeoutError)):
        return Problem("unavailable", "A service did not answer. Try again.", retry_after=RETRY_SECONDS)
    if not isinstance(error, ClientError):
        return None
    reasons = error.response.get("CancellationReasons", [])
    codes = {error.response.get("Error", {}).get("Code", ""), *(reason.get("Code", "") for reason in reasons)}
    if codes & _THROTTLED:
        return Problem("too-many-requests", "There are too many requests now. Try again.", retry_after=RETRY_SECONDS)
    if codes & _PASSING:
        return Problem("unavailable", "A service is not available. Try again.", retry_after=RETRY_SECONDS)
    return None
