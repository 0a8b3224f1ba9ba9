"""A small stand-in for Wikipedia's REST interface: page summaries of companies from the project's own texts.

The texts in ``local/samples/texts`` were written for this project. Each file is a list of pages:

``{"title": "...", "description": "...", "extract": "...", "aliases": ["..."], "type": "standard" | "disambiguation"}``

An alias is a title that redirects to the page, as Wikipedia has them for other spellings and short names.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import unicodedata
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, unquote

from local.samples.generated_texts import generated_text

SUMMARY_PATH = "/api/rest_v1/page/summary/"
ANY_TITLE = "*"

_TEXTS_FOLDER = Path(__file__).parents[1] / "samples" / "texts"
_GENERATED_TITLE = re.compile(r"^Company (\d+)$")
_DEFAULT_TIMESTAMP = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the text source.

    Parameters
    ----------
    title
        Canonical title.
    extract
        The summary's plain text.
    revision
        Number of the revision as text; by default derived from the text, so that it changes exactly when the text does.
    description
        Short description.
    type
        ``standard`` or ``disambiguation``.
    language
        Language code of the text.
    """

    title: str
    extract: str
    revision: str = ""
    description: str = "Company"
    type: str = "standard"
    language: str = "en"

    def summary(self) -> dict[str, Any]:
        """Return the page as Wikipedia's summary endpoint answers it."""
        address = f"https://{self.language}.wikipedia.org/wiki/{_path_segment(self.title)}"
        digest = hashlib.sha256(self.title.encode()).hexdigest()
        return {
            "type": self.type,
            "title": self.title,
            "displaytitle": f'<span class="mw-page-title-main">{self.title}</span>',
            "namespace": {"id": 0, "text": ""},
            "titles": {"canonical": self.title.replace(" ", "_"), "normalized": self.title, "display": self.title},
            "pageid": int(digest[:7], 16),
            "lang": self.language,
            "dir": "rtl" if self.language in ("ar", "he") else "ltr",
            "revision": self.revision or _revision_of(self.extract),
            "tid": f"{digest[:8]}-{digest[8:12]}-11f0-{digest[12:16]}-{digest[16:28]}",
            "timestamp": _DEFAULT_TIMESTAMP,
            "description": self.description,
            "description_source": "local",
            "content_urls": {"desktop": {"page": address}, "mobile": {"page": address}},
            "extract": self.extract,
            "extract_html": f"<p>{self.extract}</p>",
        }


@dataclass(frozen=True, slots=True)
class TextFault:
    """What goes wrong when the text of a title is asked for.

    Parameters
    ----------
    status
        HTTP status that is answered instead of the page; None leaves the answer as it is.
    retry_after
        Value of a ``Retry-After`` header in seconds.
    delay
        Seconds to wait first.
    times
        How many requests it hits; None for all until it is cleared.
    body_bytes
        Make the extract so long that the answer has at least this many bytes.
    body
        Answer exactly this text as body.
    """

    status: int | None = None
    retry_after: float | None = None
    delay: float = 0.0
    times: int | None = None
    body_bytes: int = 0
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, and how long to wait before it is given."""

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
    def from_files(cls, folder: Path = _TEXTS_FOLDER, latency: float = 0.0) -> Self:
        """Return a text source with the pages of all JSON files of a folder."""
        pages: list[Page] = []
        aliases: dict[str, str] = {}
        for file in sorted(folder.glob("*.json")):
            for entry in json.loads(file.read_text(encoding="utf-8")):
                aliases |= dict.fromkeys(entry.pop("aliases", []), entry["title"])
                pages.append(Page(**entry))
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
            return Answer(HTTPStatus.FOUND, headers={"Location": SUMMARY_PATH + _path_segment(target)})
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


def canonical(title: str) -> str:
    """Return a title as Wikipedia spells it: NFC, single spaces for underscores, first letter in upper case."""
    text = " ".join(unicodedata.normalize("NFC", title).replace("_", " ").split())
    return text[:1].upper() + text[1:]


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


def _path_segment(title: str) -> str:
    return quote(title.replace(" ", "_"), safe="")


def _revision_of(text: str) -> str:
    # Ten digits, like today's revision numbers of the English Wikipedia.
    return str(1_000_000_000 + int(hashlib.sha256(text.encode()).hexdigest()[:7], 16))
