"""The HTTP API: requests with a token, repeated where that is safe, and refusals in one line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from cli.api import backoff
from cli.api.errors import ApiError, refusal, unreachable
from cli.api.identity import Identity
from cli.aws.deployment import Deployment
from cli.ui.json_input import decode_json
from schema.limits import PAGE_ENTRIES
from schema.retry import attempts

# API Gateway itself gives up after 30 seconds.
TIMEOUT = httpx.Timeout(35, connect=5)
# Threads that transfer files, and one that asks.
CONNECTIONS = httpx.Limits(max_connections=16, max_keepalive_connections=16)
IDEMPOTENT = {"GET", "PUT", "DELETE"}
# The request was not carried out, whatever it was.
NOT_BEGUN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
Body = dict[str, Any]


class Api:
    """A deployment's HTTP API, used by whoever is signed in. Threads may share it.

    Parameters
    ----------
    deployment : Deployment
    sleep : callable
        Waits a number of seconds.
    """

    def __init__(self, deployment: Deployment, sleep: Callable[[float], None] = time.sleep):
        self.deployment = deployment
        self.identity = Identity(deployment)
        self._url = deployment.output("api_url").rstrip("/")
        self._sleep = sleep

    @cached_property
    def http(self) -> httpx.Client:
        """The client of all requests, which itself sends no token: links and forms carry their own permission."""
        # The embedded AWS is on this machine, whatever proxy is set.
        return httpx.Client(
            timeout=TIMEOUT,
            limits=CONNECTIONS,
            trust_env=not self.deployment.is_local,
            headers={"user-agent": "cloud-nlp-command-line"},
        )

    def close(self) -> None:
        """Close all connections."""
        if "http" in vars(self):
            self.http.close()

    def pause(self, seconds: float) -> None:
        """Wait, before the API is asked again."""
        self._sleep(seconds)

    def get(self, *path: str, **query: str | None) -> Body:
        """Read something.

        Parameters
        ----------
        *path : str
            The parts of the path.
        **query : str or None
            Parameters; those that are None are left out.

        Raises
        ------
        ApiError
            When the API refuses.
        CliError
            When it is not reachable, or nobody is signed in.
        """
        return self._call("GET", path, query=query)

    def pages(self, name: str, *path: str, **query: str | None) -> Iterator[Body]:
        """Read a list, page by page as its entries are taken.

        Parameters
        ----------
        name : str
            The field that holds the entries of a page.
        *path, **query : str
            As for `get`.
        """
        cursor: str | None = None
        while True:
            page = self.get(*path, **{"limit": str(PAGE_ENTRIES), **query}, cursor=cursor)
            yield from page[name]
            cursor = page["next"]
            if cursor is None:
                return

    def post(self, *path: str, body: Body, key: str | None = None, repeatable: bool = False) -> Body:
        """Create or change something.

        Parameters
        ----------
        *path : str
            The parts of the path.
        body : dict
            What to send.
        key : str, optional
            The Idempotency-Key: the API carries out requests with the same key once, so that they can be repeated.
        repeatable : bool
            Whether the request does no harm when it is carried out twice, even without a key.
        """
        headers = {"idempotency-key": key} if key else None
        return self._call("POST", path, body=body, headers=headers, repeatable=repeatable)

    def patch(self, *path: str, body: Body, repeatable: bool = False) -> Body:
        """Change something.

        Parameters
        ----------
        *path : str
            The parts of the path.
        body : dict
            What to change.
        repeatable : bool
            Whether the request does no harm when it is carried out twice.
        """
        return self._call("PATCH", path, body=body, repeatable=repeatable)

    def delete(self, *path: str, most_attempts: int = backoff.BACKOFF.attempts) -> Body:
        """Delete something, or end it."""
        return self._call("DELETE", path, most_attempts=most_attempts)

    def _call(self, method: str, path: tuple[str, ...], **parts: Any) -> Body:
        query = {name: value for name, value in parts.pop("query", {}).items() if value is not None}
        url = self._url + "".join(f"/{quote(part, safe='')}" for part in path)
        request = self.http.build_request(
            method, url, params=query or None, json=parts.pop("body", None), headers=parts.pop("headers", None)
        )
        repeatable = parts.pop("repeatable", False) or method in IDEMPOTENT or "idempotency-key" in request.headers
        response, made = self._send(request, repeatable, parts.pop("most_attempts", backoff.BACKOFF.attempts))
        if not response.is_success:
            raise refusal(response, repeated=made > 1)
        return _decoded(response)

    def _send(self, request: httpx.Request, repeatable: bool, most_attempts: int) -> tuple[httpx.Response, int]:
        """Send a request until its answer is final; returns the answer and the number of attempts."""
        for attempt in attempts(replace(backoff.BACKOFF, attempts=most_attempts), self._sleep):
            try:
                response = self._send_signed(request)
            except httpx.TransportError as error:
                if attempt.is_last or not (repeatable or isinstance(error, NOT_BEGUN)):
                    raise unreachable(self._url, error) from None
                continue
            asked_for = backoff.retry_after(response.headers.get("retry-after"))
            if attempt.is_last or not is_passing(response.status_code, repeatable, asked_for):
                return response, attempt.number
            attempt.pause_at_least = asked_for or 0
        raise AssertionError("the last attempt returns or raises")

    def _send_signed(self, request: httpx.Request) -> httpx.Response:
        """Send a request with a token, and once more with another token when the first one is refused."""
        token = self.identity.token()
        request.headers["authorization"] = f"Bearer {token}"
        response = self.http.send(request)
        if response.status_code == 401:
            request.headers["authorization"] = f"Bearer {self.identity.replacement(token)}"
            response = self.http.send(request)
        return response


def is_passing(status: int, repeatable: bool, asked_for: float | None = None) -> bool:
    """Tell whether a refusal is gone when the request is sent again.

    Parameters
    ----------
    status : int
        The HTTP status.
    repeatable : bool
        Whether the request does no harm when it is carried out twice.
    asked_for : float, optional
        The pause that the answer asks for, in seconds.
    """
    if asked_for is not None and asked_for > backoff.LONGEST_WAIT_S:
        return False
    # A conflict that names a time is one with a request that is being worked on: this one was not carried out.
    if status == 429 or (status == 409 and asked_for is not None):
        return True
    return repeatable and status >= 500


def _decoded(response: httpx.Response) -> Body:
    if not response.content:
        return {}
    try:
        return decode_json(response.content, type=Body)
    except msgspec.MsgspecError:
        raise ApiError(
            f"{response.request.url.host} answers, but not as the API does: deploy again, so that it and this "
            "command are of the same version.",
            response.status_code,
        ) from None
