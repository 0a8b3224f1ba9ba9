"""Calls of AWS services on behalf of a document: repeated while they fail in passing and the document has time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from handlers.batch.errors import DocumentError
from handlers.batch.work import Work
from handlers.common.backoff import full_jitter
from handlers.common.logs import logger

T = TypeVar("T")

_THROTTLED = frozenset(
    (
        "LimitExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    )
)
_BASE_SECONDS = 0.5
_CAP_SECONDS = 20
# Throttling passes, so it is waited for as long as the document has time; other failures are not.
_MAX_FAILURES = 6
_SERVER_ERROR = 500


def call_patiently(service: str, send: Callable[[], T], work: Work, sleep: Callable[[float], None] = time.sleep) -> T:
    """Send a request until it is answered.

    Parameters
    ----------
    service
        Name for messages.
    send
        Sends the request once.
    work
        Of the document that it is for; gives up when its time is over.
    sleep
        Waits a number of seconds.

    Raises
    ------
    DocumentError
        The service refuses the request, keeps failing, or the time is over.
    """
    failures = attempt = 0
    while True:
        work.check()
        try:
            return send()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code not in _THROTTLED:
                failures += 1
                if status < _SERVER_ERROR or failures >= _MAX_FAILURES:
                    message = error.response.get("Error", {}).get("Message", "")
                    raise DocumentError(f"{service} refused it ({code}): {message}") from error
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            failures += 1
            if failures >= _MAX_FAILURES:
                raise DocumentError(f"{service} cannot be reached: {error}") from error
        except BotoCoreError as error:
            raise DocumentError(f"{service} cannot be called: {error}") from error
        attempt += 1
        pause = min(full_jitter(attempt, _BASE_SECONDS, _CAP_SECONDS), max(work.remaining, 0))
        logger.debug("call is repeated", extra={"service": service, "attempt": attempt, "pause": round(pause, 3)})
        sleep(pause)
