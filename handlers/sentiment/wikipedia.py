"""Text source: the summaries of Wikipedia's REST interface.

Interface: https://en.wikipedia.org/api/rest_v1/#/Page%20content/get_page_summary__title_
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from urllib.parse import quote

import msgspec
import urllib3

from handlers.sentiment.texts import Answers, NoText, SourceError, Text, Unchanged, Wanted, cut_to_bytes

# Statuses that mean "no such page": of unknown titles, of impossible ones, and of pages that were removed.
_MISSING = {400, 404, 410, 414}
_MAX_ANSWER_BYTES = 1_000_000
_PART_BYTES = 65_536


class _Summary(msgspec.Struct):
    """The fields of Wikipedia's answer that are used."""

    type: str
    extract: str
    revision: str = ""
    tid: str = ""


class Wikipedia:
    """Wikipedia's page summaries.

    Parameters
    ----------
    url
        Such as `https://en.wikipedia.org`.
    language
        Language of its texts, as Amazon Comprehend names it.
    contact
        Address for Wikipedia's operators, which their policy for clients requires
        (https://foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy).
    concurrency
        Greatest number of requests under way at once.
    timeout
        Seconds to wait for an answer, in each of at most three attempts.
    """

    def __init__(self, url: str, language: str, contact: str, concurrency: int = 25, timeout: float = 3) -> None:
        self._url = url.rstrip("/")
        self.language = language
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(max_workers=concurrency)
        self._pool = urllib3.PoolManager(
            maxsize=concurrency,
            headers={"User-Agent": f"CloudNLP/1.0 ({contact})", "Accept": "application/json"},
            timeout=urllib3.Timeout(connect=2, read=timeout),
            retries=urllib3.Retry(
                total=6,
                connect=2,
                read=1,  # an answer that hangs twice will hang a third time
                status=2,
                redirect=5,
                status_forcelist=(408, 429, 500, 502, 503, 504),
                raise_on_status=False,
                backoff_factor=0.2,
                backoff_jitter=0.4,
                backoff_max=2,
                retry_after_max=2,
            ),
        )

    def fetch(self, wanted: Sequence[Wanted], deadline: float) -> Answers:
        """Get pages' summaries; redirects are followed. See `TextSource.fetch`."""
        futures = {one: self._threads.submit(self._fetch_one, one) for one in wanted}
        wait(futures.values(), timeout=max(0.0, deadline - time.monotonic()))
        answers: Answers = {}
        for one, future in futures.items():
            if not future.done():
                future.cancel()
                answers[one] = SourceError("no answer in time")
                continue
            error = future.exception()
            if error is None:
                answers[one] = future.result()
            else:
                is_source = isinstance(error, SourceError)
                answers[one] = error if is_source else SourceError(f"{type(error).__name__}: {error}")
        return answers

    def _fetch_one(self, wanted: Wanted) -> Text | Unchanged | NoText:
        path = quote(" ".join(wanted.title.split()).replace(" ", "_"), safe="")
        try:
            answer = self._pool.request("GET", f"{self._url}/api/rest_v1/page/summary/{path}", preload_content=False)
            body = self._read(answer)
        except urllib3.exceptions.HTTPError as error:
            raise SourceError(f"no answer: {error}") from error
        if answer.status in _MISSING:
            return NoText("NOT_FOUND")
        if answer.status != 200:
            raise SourceError(f"status {answer.status}", _seconds(answer.headers.get("Retry-After")))
        text = self._text(body)
        same = isinstance(text, Text) and text.revision and text.revision == wanted.revision
        return Unchanged() if same else text

    def _read(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        """Read an answer within limits of size and time; the socket's own time limit starts again with each byte."""
        deadline = time.monotonic() + self._timeout
        body = bytearray()
        try:
            while part := answer.read1(_PART_BYTES):
                body += part
                if len(body) > _MAX_ANSWER_BYTES:
                    raise SourceError(f"answer longer than {_MAX_ANSWER_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise SourceError(f"answer took longer than {self._timeout} seconds")
        except SourceError:
            answer.close()
            raise
        answer.release_conn()
        return bytes(body)

    def _text(self, body: bytes) -> Text | NoText:
        try:
            summary = msgspec.json.decode(body, type=_Summary)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise SourceError(f"answer not understood: {error}") from error
        if summary.type == "disambiguation":
            return NoText("AMBIGUOUS")
        content = cut_to_bytes(" ".join(summary.extract.split()))
        if not content:
            return NoText("NOT_FOUND")
        return Text(content, self.language, summary.revision or summary.tid)


def _seconds(retry_after: str | None) -> float:
    """Read a `Retry-After` header; a date, which is rare, is ignored."""
    return float(retry_after) if retry_after and re.fullmatch("[0-9]{1,6}", retry_after) else 0
