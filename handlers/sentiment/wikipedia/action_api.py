"""Requests to MediaWiki's Action API, within its limits.

Etiquette: https://www.mediawiki.org/wiki/API:Etiquette
"""

from __future__ import annotations

import re
import time
from typing import Protocol

import msgspec
import urllib3

from handlers.common.logs import logger
from handlers.sentiment.texts import RateLimitError, SourceError
from handlers.sentiment.wikipedia.answers import Answer, ApiError, Page, Query

PRODUCT = "CloudNLP"
# Seconds by which the databases may be behind: https://www.mediawiki.org/wiki/Manual:Maxlag_parameter
MAXLAG_SECONDS = 5
# Pause after a refusal that names none.
PAUSE_SECONDS = 30
# Parts in which one answer may come.
MOST_PARTS = 20
_MAX_ANSWER_BYTES = 4_000_000
_PART_BYTES = 65_536
# Errors that concern everybody rather than what was asked for.
_LIMITS = ("maxlag", "ratelimited")


class Budget(Protocol):
    """Says when requests may be made."""

    def take(self, deadline: float) -> None:
        """Wait until a request may be made; raises `RateLimitError` where this would be after the deadline."""
        ...

    def pause(self, seconds: float) -> None:
        """Let nobody make a request for a time."""
        ...


class ActionApi:
    """The Action API of a wiki. It makes one request at a time per thread that calls it.

    Parameters
    ----------
    url
        Such as `https://en.wikipedia.org`.
    contact
        Address for the wiki's operators, which Wikimedia's policy for clients asks for
        (https://foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy); may be empty.
    version
        Version of the product.
    budget
        Says when requests may be made.
    timeout
        Longest wait for an answer, in seconds; never longer than a third of the time that is left.

    Attributes
    ----------
    requests, refusals
        Number of requests so far, and of those that were refused because a limit was reached.
    """

    def __init__(self, url: str, contact: str, version: str, budget: Budget, timeout: float = 10) -> None:
        self._url = f"{url.rstrip('/')}/w/api.php"
        self._budget = budget
        self._timeout = timeout
        self.requests = 0
        self.refusals = 0
        self._pool = urllib3.PoolManager(
            headers={
                "User-Agent": f"{PRODUCT}/{version} ({contact or 'no contact given'})",
                "Accept": "application/json",
                # A long list of titles does not fit an address; this says that the POST only reads.
                "Promise-Non-Write-API-Action": "true",
            },
            retries=False,  # each attempt counts, so the budget has to know of it
        )

    def query(self, parameters: dict[str, str], deadline: float) -> Query:
        """Ask for pages; an answer in parts is put together.

        Parameters
        ----------
        parameters
            Parameters of `action=query`.
        deadline
            When it has to return, on the clock of `time.monotonic`.

        Raises
        ------
        RateLimitError
            There was no turn for the request in time, or the wiki refused it because of a limit.
        SourceError
            The wiki failed, or its answer is not understood.
        """
        whole, pages, more = Query(), dict[str, Page](), dict[str, str]()
        for _ in range(MOST_PARTS):
            answer = self._ask({**parameters, **more}, deadline)
            part = answer.query or Query()
            for page in part.pages:
                if page.title in pages:
                    pages[page.title].add(page)
                else:
                    pages[page.title] = page
            whole.interwiki += part.interwiki
            whole.normalized += part.normalized
            whole.converted += part.converted
            whole.redirects += part.redirects
            if answer.more is None:
                whole.pages = list(pages.values())
                return whole
            more = {name: str(value) for name, value in answer.more.items()}
        raise SourceError(f"answer in more than {MOST_PARTS} parts")

    def _ask(self, parameters: dict[str, str], deadline: float) -> Answer:
        """Make one request; one that is refused because of a limit is repeated if the pause ends in time."""
        fields = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "maxlag": str(MAXLAG_SECONDS),
            **parameters,
        }
        while True:
            self._budget.take(deadline)
            self.requests += 1
            status, retry_after, body = self._send(fields, deadline)
            if status == 429 or (status == 503 and retry_after):
                self._pause(retry_after or PAUSE_SECONDS, f"status {status}", deadline)
                continue
            if status != 200:
                raise SourceError(f"status {status}", retry_after)
            answer = _decode(body)
            if answer.error is None:
                return answer
            if answer.error.code not in _LIMITS:
                raise SourceError(f"error {answer.error.code}: {answer.error.info}", retry_after)
            self._pause(retry_after or _lag(answer.error), f"error {answer.error.code}", deadline)

    def _pause(self, seconds: float, reason: str, deadline: float) -> None:
        """Let everybody pause, as the wiki asks for."""
        self.refusals += 1
        logger.warning("text source asks for a pause", extra={"reason": reason, "seconds": seconds})
        self._budget.pause(seconds)
        if time.monotonic() + seconds > deadline:
            raise RateLimitError(reason, seconds)

    def _send(self, fields: dict[str, str], deadline: float) -> tuple[int, float, bytes]:
        """Send a request; returns status, `Retry-After` in seconds, and body."""
        seconds = min(self._timeout, max(0.05, (deadline - time.monotonic()) / 3))
        ends_at = time.monotonic() + seconds
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                fields=fields,
                encode_multipart=False,
                preload_content=False,
                redirect=False,
                timeout=urllib3.Timeout(connect=min(2, seconds), read=seconds),
            )
            body = _read(answer, ends_at)
        except urllib3.exceptions.HTTPError as error:
            raise SourceError(f"no answer: {error}") from error
        return answer.status, _seconds(answer.headers.get("Retry-After")), body


def _read(answer: urllib3.BaseHTTPResponse, ends_at: float) -> bytes:
    """Read an answer within limits of size and time; the socket's own time limit starts again with each byte."""
    body = bytearray()
    try:
        while part := answer.read1(_PART_BYTES):
            body += part
            if len(body) > _MAX_ANSWER_BYTES:
                raise SourceError(f"answer longer than {_MAX_ANSWER_BYTES} bytes")
            if time.monotonic() > ends_at:
                raise SourceError("no complete answer in time")
    except SourceError:
        answer.close()
        raise
    answer.release_conn()
    return bytes(body)


def _decode(body: bytes) -> Answer:
    try:
        return msgspec.json.decode(body, type=Answer)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise SourceError(f"answer not understood: {error}") from error


def _lag(error: ApiError) -> float:
    return max(error.lag, MAXLAG_SECONDS) if error.code == "maxlag" else PAUSE_SECONDS


def _seconds(retry_after: str | None) -> float:
    """Read a `Retry-After` header; a date, which is rare, is ignored."""
    return float(retry_after) if retry_after and re.fullmatch("[0-9]{1,6}", retry_after) else 0
