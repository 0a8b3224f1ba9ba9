"""A stand-in for Wikipedia's REST interface: page summaries from the project's own texts, with faults and latency."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from local.aws.text_pages import TEXTS_FOLDER, Page, canonical, path_segment, read_pages
from local.samples.generated_texts import generated_text

SUMMARY_PATH = "/api/rest_v1/page/summary/"
ANY_TITLE = "*"

_GENERATED_TITLE = re.compile(r"^Company (\d+)$")


@dataclass(frozen=True, slots=True)
class TextFault:
    """A fault of requests for the text of a title.

    Parameters
    ----------
    status
        HTTP status of the answer; None leaves the answer as it is.
    retry_after
        Value of a ``Retry-After`` header in seconds.
    delay
        Seconds to wait first.
    times
        Number of requests that it affects; None for all until it is cleared.
    body_bytes
        Least size of the answer in bytes; the extract is lengthened.
    body
        Body of the answer, in place of the page.
    """

    status: int | None = None
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
    """Pages by title, with redirects, faults and latency; safe to use from several threads.

    Parameters
    ----------
    pages
        The pages to serve.
    aliases
        Titles that redirect, each with the title of its page.
    latency
        Seconds to wait before each answer.
    """

    def __init__(self, pages: list[Page], aliases: dict[str, str], latency: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._original_pages = {canonical(page.title): page for page in pages}
        self._aliases = {canonical(alias): canonical(title) for alias, title in aliases.items()}
        self._original_latency = latency
        self.clear()

    @classmethod
    def from_files(cls, folder: Path = TEXTS_FOLDER, latency: float = 0.0) -> Self:
        """Return a text source with the pages of all JSON files of a folder."""
        pages, aliases = read_pages(folder)
        return cls(pages, aliases, latency)

    @property
    def requests(self) -> int:
        """Number of requests for a summary since the last `clear`, redirects and failures included."""
        return self._requests

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

    def set_text(self, title: str, text: str | None, **details: str) -> None:
        """Add or replace a page, or with None remove it.

        Parameters
        ----------
        title
            Title; its spelling is made canonical.
        text
            The summary's text.
        **details
            `revision`, `description`, `type` and `language` of `Page`.
        """
        name = canonical(title)
        with self._lock:
            self._pages.pop(name, None)
            if text is not None:
                self._pages[name] = Page(name, text, **details)

    def set_fault(self, title: str, fault: TextFault) -> None:
        """Make requests for a title fail, or those for any title with ``*``."""
        with self._lock:
            self._faults[title if title == ANY_TITLE else canonical(title)] = fault

    def set_latency(self, seconds: float) -> None:
        """Wait this long before each answer, in seconds."""
        self._latency = seconds

    def generate_texts(self, on: bool) -> None:
        """Serve a made-up page for every title like ``Company 00001``, or stop that."""
        self._generate = on

    def clear(self) -> None:
        """Return to the state at the start: pages, faults, latency, count."""
        with self._lock:
            self._pages = dict(self._original_pages)
            self._faults: dict[str, TextFault] = {}
            self._latency = self._original_latency
            self._generate = False
            self._requests = 0

    def answer(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Return the answer to a GET request.

        Parameters
        ----------
        path
            Path as sent, with percent-encoding and without query.
        headers
            Request headers with lower-case names.
        """
        headers = headers or {}
        segment = path.removeprefix(SUMMARY_PATH)
        if segment == path or not segment or "/" in segment:
            return _problem(HTTPStatus.NOT_FOUND, path, "Not found.", "No such resource.")
        with self._lock:
            self._requests += 1
            requested = unquote(segment).replace("_", " ").strip()
            name = canonical(requested)
            fault = self._take_fault(name)
            answer = self._page_answer(path, requested, name, headers, fault)
        delay = self._latency + (fault.delay if fault else 0.0)
        return Answer(answer.status, answer.body, answer.headers, delay)

    def _page_answer(
        self, path: str, requested: str, name: str, headers: dict[str, str], fault: TextFault | None
    ) -> Answer:
        if fault and fault.status is not None:
            retry = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            return _problem(fault.status, path, HTTPStatus(fault.status).phrase, "Injected fault.", retry)
        if fault and fault.body is not None:
            return Answer(HTTPStatus.OK, fault.body.encode(), {"Content-Type": "application/json; charset=utf-8"})
        target = self._aliases.get(name, name) if name not in self._pages else name
        page = self._find(target)
        if page is None:
            return _problem(HTTPStatus.NOT_FOUND, path, "Not found.", "Page or revision not found.")
        if target != requested:
            return Answer(HTTPStatus.FOUND, headers={"Location": SUMMARY_PATH + path_segment(target)})
        return _summary_answer(page, headers, fault.body_bytes if fault else 0)

    def _find(self, name: str) -> Page | None:
        generated = _GENERATED_TITLE.match(name) if self._generate and name not in self._pages else None
        return Page(name, generated_text(int(generated[1]), name)) if generated else self._pages.get(name)

    def _take_fault(self, name: str) -> TextFault | None:
        key = name if name in self._faults else ANY_TITLE
        fault = self._faults.get(key)
        if fault and fault.times is not None:
            left = fault.times - 1
            if left > 0:
                self._faults[key] = TextFault(
                    fault.status, fault.retry_after, fault.delay, left, fault.body_bytes, fault.body
                )
            else:
                del self._faults[key]
        return fault


def _summary_answer(page: Page, headers: dict[str, str], minimum_bytes: int) -> Answer:
    summary = page.summary()
    etag = f'W/"{summary["revision"]}/{summary["tid"]}"'
    if headers.get("if-none-match") == etag:
        return Answer(HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
    body = json.dumps(summary, ensure_ascii=False).encode()
    if len(body) < minimum_bytes:
        summary["extract"] += " " + "x" * (minimum_bytes - len(body))
        body = json.dumps(summary, ensure_ascii=False).encode()
    kind = 'application/json; charset=utf-8; profile="https://www.mediawiki.org/wiki/Specs/Summary/1.4.2"'
    return Answer(HTTPStatus.OK, body, {"Content-Type": kind, "Content-Language": page.language, "ETag": etag})


def _problem(status: int, path: str, title: str, detail: str, headers: dict[str, str] | None = None) -> Answer:
    body = {
        "type": f"https://mediawiki.org/wiki/HyperSwitch/errors/{title.rstrip('.').lower().replace(' ', '_')}",
        "title": title,
        "method": "get",
        "detail": detail,
        "uri": "/en.wikipedia.org/v1/" + path.removeprefix("/api/rest_v1/"),
    }
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json", **(headers or {})})
