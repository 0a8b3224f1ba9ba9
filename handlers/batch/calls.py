"""Calls of AWS services for a document: repeated while a failure may pass and the document has time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from handlers.batch.budget import Budget
from handlers.batch.errors import DocumentError
from handlers.common.logs import logger
from schema.aws_errors import THROTTLED
from schema.retry import Backoff

T = TypeVar("T")

# Failures other than throttling are final after so many attempts. Throttling always passes, so throttled calls are
# repeated until the document has no time left.
_BACKOFF = Backoff(attempts=6, first_seconds=0.5, longest_seconds=20)
_SERVER_ERROR = 500


def call_patiently(
    service: str, send: Callable[[], T], budget: Budget, sleep: Callable[[float], None] = time.sleep
) -> T:
    """Send a request until it is answered.

    Parameters
    ----------
    service
        Name of the service for messages.
    send
        Sends the request once.
    budget
        Budget of the document that the request is for; its time limit ends the attempts.
    sleep
        Waits a number of seconds.

    Raises
    ------
    DocumentError
        The service refuses the request or keeps failing, or the time limit has passed.
    """
    failures = attempt = 0
    while True:
        budget.check()
        try:
            return send()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code not in THROTTLED:
                failures += 1
                if status < _SERVER_ERROR or failures >= _BACKOFF.attempts:
                    message = error.response.get("Error", {}).get("Message", "")
                    raise DocumentError(f"{service} refused it ({code}): {message}") from error
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            failures += 1
            if failures >= _BACKOFF.attempts:
                raise DocumentError(f"{service} cannot be reached: {error}") from error
        except BotoCoreError as error:
            raise DocumentError(f"{service} cannot be called: {error}") from error
        attempt += 1
        pause = min(_BACKOFF.pause(attempt), max(budget.remaining, 0))
        logger.debug("call is repeated", extra={"service": service, "attempt": attempt, "pause": round(pause, 3)})
        sleep(pause)
