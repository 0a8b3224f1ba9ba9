"""A stand-in for Wikipedia's Action API: pages from the project's own texts, with faults, latency and limits."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from local.aws.action_api import API_PATH, ApiError, Wiki, error_body, query, titles_of
from local.aws.request_limits import Limiter, Limits
from local.aws.text_pages import TEXTS_FOLDER, Page, canonical, read_pages
from local.samples.generated_texts import generated_text

ANY_TITLE = "*"

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_GENERATED_TITLE = re.compile(r"^Company (\d+)$")


@dataclass(frozen=True, slots=True)
class TextFault:
    """A fault of requests that name a title.

    Parameters
    ----------
    status
        HTTP status of the answer; None leaves the answer as it is.
    code
        Code of the error in the answer, for example ``maxlag``; with status 200 unless `status` says otherwise.
    retry_after
        Value of a ``Retry-After`` header in seconds.
    delay
        Seconds to wait first.
    times
        Number of requests that it affects; None for all until it is cleared.
    body_bytes
        Least size of the answer in bytes; the text is lengthened.
    body
        Body of the answer, in place of the pages.
    """

    status: int | None = None
    code: str | None = None
    retry_after: float | None = None
    delay: float = 0.0
    times: int | None = None
    body_bytes: int = 0
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, and the seconds to wait before it is sent."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


class TextSource:
    """Pages by title, with redirects, faults, latency and limits; safe to use from several threads.

    Parameters
    ----------
    pages
        The pages to serve.
    aliases
        Titles that redirect, each with the title of its page or of another alias.
    latency
        Seconds to wait before each answer.
    """

    def __init__(self, pages: list[Page], aliases: dict[str, str], latency: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._original_pages = {canonical(page.title): page for page in pages}
        self._aliases = {canonical(alias): canonical(title) for alias, title in aliases.items()}
        self._original_latency = latency
        self.limiter = Limiter()
        self.clear()

    @classmethod
    def from_files(cls, folder: Path = TEXTS_FOLDER, latency: float = 0.0) -> Self:
        """Return a text source with the pages of all JSON files of a folder."""
        pages, aliases = read_pages(folder)
        return cls(pages, aliases, latency)

    @property
    def counts(self) -> dict[str, int]:
        """Counts since the last `clear`.

        Returns
        -------
        ``requests``, including those that failed; ``refused``, of those the ones over the limits or hit by a fault with
        status 429; ``titles``, the different titles that were asked for; ``most_at_once``, requests under way at the
        same time since limits were set.
        """
        with self._lock:
            counts = {"requests": self._requests, "refused": self._refused, "titles": len(self._titles)}
        return {**counts, "most_at_once": self.limiter.most_at_once}

    @property
    def titles(self) -> list[str]:
        """Titles of all pages, aliases not included."""
        return sorted(self._pages)

    def extract(self, title: str) -> str:
        """Return the text of a page.

        Raises
        ------
        KeyError
            When there is no page of this canonical title.
        """
        return self._pages[title].extract

    def set_text(self, title: str, text: str | None, **details: Any) -> None:
        """Add or replace a page, or with None remove it.

        Parameters
        ----------
        title
            Title; its spelling is made canonical.
        text
            The introduction's text.
        **details
            `revision`, `description`, `type` and `links` of `Page`.
        """
        name = canonical(title)
        if "links" in details:
            details["links"] = tuple(details["links"])
        with self._lock:
            self._pages.pop(name, None)
            if text is not None:
                self._pages[name] = Page(name, text, **details)

    def set_redirect(self, title: str, target: str) -> None:
        """Let a title without a page lead to another one."""
        with self._lock:
            self._redirects[canonical(title)] = canonical(target)

    def set_fault(self, title: str, fault: TextFault) -> None:
        """Make requests that name a title fail, or with ``*`` those that name any title."""
        with self._lock:
            self._faults[title if title == ANY_TITLE else canonical(title)] = fault

    def set_latency(self, seconds: float) -> None:
        """Wait this long before each answer, in seconds."""
        self._latency = seconds

    def set_limits(self, limits: Limits | None) -> None:
        """Enforce limits on requests, or with None end that."""
        self.limiter.set(limits)

    def continue_after(self, pages: int | None) -> None:
        """Answer in parts of so many pages, or with None only where the API's own limits ask for that."""
        self._continue_after = pages

    def generate_texts(self, on: bool) -> None:
        """Serve a made-up page for every title like ``Company 00001``, or stop that."""
        self._generate = on

    def reset_counts(self) -> None:
        """Start counting from zero."""
        with self._lock:
            self._requests = self._refused = 0
            self._titles: set[str] = set()

    def clear(self) -> None:
        """Return to the state at the start: pages, faults, latency, limits, counts."""
        self.reset_counts()
        self.limiter.set(None)
        with self._lock:
            self._pages = dict(self._original_pages)
            self._redirects = dict(self._aliases)
            self._faults: dict[str, TextFault] = {}
            self._latency = self._original_latency
            self._generate = False
            self._continue_after: int | None = None

    def serve(self, path: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Answer a request within the limits, after its delay.

        Parameters
        ----------
        path
            Path of the address.
        parameters
            Parameters of the address and of the body.
        headers
            Request headers with lower-case names.
        """
        if path != API_PATH:
            return Answer(HTTPStatus.NOT_FOUND, b"Not found.", {"Content-Type": "text/plain"})
        retry_after = self.limiter.enter(headers.get("user-agent", ""))
        if retry_after is not None:
            with self._lock:
                self._requests += 1
                self._refused += 1
            return Answer(
                HTTPStatus.TOO_MANY_REQUESTS,
                b"Too many requests. Please respect the Robot policy.",
                {"Content-Type": "text/plain", "Retry-After": str(retry_after)},
            )
        try:
            answer = self.answer(parameters)
            if answer.delay:
                time.sleep(answer.delay)
            return answer
        finally:
            self.limiter.leave()

    def answer(self, parameters: Mapping[str, str]) -> Answer:
        """Return the answer to a request; the caller waits."""
        with self._lock:
            self._requests += 1
            names = {canonical(title) for title in titles_of(parameters)}
            self._titles |= names
            fault = self._take_fault(names)
            if fault and fault.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._refused += 1
            answer = self._spoilt(fault) or self._answer(parameters, fault)
        return replace(answer, delay=self._latency + (fault.delay if fault else 0.0))

    @staticmethod
    def _spoilt(fault: TextFault | None) -> Answer | None:
        if fault is None:
            return None
        headers = {**_JSON, **({} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"})}
        status = HTTPStatus.OK if fault.status is None else fault.status
        if fault.code is not None:
            lag = {"lag": 7.5} if fault.code == "maxlag" else {}
            return Answer(status, error_body(fault.code, "Injected fault.", **lag), headers)
        if fault.status is not None:
            return Answer(status, b"Injected fault.", {**headers, "Content-Type": "text/plain"})
        return None if fault.body is None else Answer(status, fault.body.encode(), headers)

    def _answer(self, parameters: Mapping[str, str], fault: TextFault | None) -> Answer:
        wiki = Wiki(self._find, self._redirects, self._continue_after)
        try:
            content = query(parameters, wiki)
        except ApiError as error:
            return Answer(
                HTTPStatus.OK, error_body(error.code, str(error)), {**_JSON, "MediaWiki-API-Error": error.code}
            )
        body = json.dumps(content, ensure_ascii=False).encode()
        missing = fault.body_bytes - len(body) if fault else 0
        if missing > 0:
            page = content["query"]["pages"][0]
            page["extract"] = page.get("extract", "") + "x" * missing
            body = json.dumps(content, ensure_ascii=False).encode()
        return Answer(HTTPStatus.OK, body, dict(_JSON))

    def _find(self, name: str) -> Page | None:
        generated = _GENERATED_TITLE.match(name) if self._generate and name not in self._pages else None
        return Page(name, generated_text(int(generated[1]), name)) if generated else self._pages.get(name)

    def _take_fault(self, names: set[str]) -> TextFault | None:
        key = next((name for name in sorted(names) if name in self._faults), ANY_TITLE)
        fault = self._faults.get(key)
        if fault and fault.times is not None:
            if fault.times > 1:
                self._faults[key] = replace(fault, times=fault.times - 1)
            else:
                del self._faults[key]
        return fault
