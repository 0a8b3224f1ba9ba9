"""Wikipedia's summaries, from a real HTTP server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
import urllib3.util.retry
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.sentiment.texts import Found, NoText, SourceError, Text, Wanted
from handlers.sentiment.wikipedia import Wikipedia
from tests.handlers.sentiment.text_server import PREFIX, Answer, TextServer, running_text_server, summary

CONTACT = "https://example.com/contact"


@pytest.fixture
def server() -> Iterator[TextServer]:
    with running_text_server() as running:
        yield running


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which do not take place."""
    waited: list[float] = []
    monkeypatch.setattr(urllib3.util.retry, "time", SimpleNamespace(sleep=waited.append, time=time.time))
    return waited


@pytest.fixture
def source(server: TextServer) -> Wikipedia:
    return Wikipedia(server.url + "/", "en", CONTACT)


@pytest.fixture
def hasty(server: TextServer) -> Wikipedia:
    """A source that does not wait long for an answer."""
    return Wikipedia(server.url, "en", CONTACT, timeout=0.2)


def ask(source: Wikipedia, title: str = "IBM") -> Found:
    """Ask for one page; its error is raised."""
    [found] = source.fetch([Wanted(title)], time.monotonic() + 30).values()
    if isinstance(found, SourceError):
        raise found
    return found


def test_summary_is_a_text(server: TextServer, source: Wikipedia) -> None:
    server.page(summary("IBM is\n good.\u2028  Very."))
    assert ask(source) == Text("IBM is good. Very.", "en", "1234")
    assert server.paths == [PREFIX + "IBM"]


def test_operators_can_turn_to_somebody(server: TextServer, source: Wikipedia) -> None:
    ask(source)
    assert CONTACT in server.headers[0]["User-Agent"]
    assert server.headers[0]["User-Agent"].startswith("CloudNLP/")
    assert server.headers[0]["Accept"] == "application/json"


@pytest.mark.parametrize(
    "title",
    [
        "AC/DC",
        "C++",
        "100 %",
        "%2F",
        "a?b=c&d",
        "a#b",
        "🏢 Inc",
        "شركة أرامكو",
        "L'Oréal",
        "a;b:c@d",
        "\\",
        "a..b",
        "../x",
    ],
)
def test_path_decodes_back_to_the_title(server: TextServer, source: Wikipedia, title: str) -> None:
    ask(source, title)
    [path] = server.paths
    assert path.startswith(PREFIX)
    assert "/" not in path.removeprefix(PREFIX)
    assert unquote(path.removeprefix(PREFIX)) == title.replace(" ", "_")


@pytest.mark.parametrize("title", ["Meta Platforms", " Meta\tPlatforms ", "Meta\r\nPlatforms", "Meta\n\n Platforms"])
def test_line_breaks_and_spaces_are_underscores(server: TextServer, source: Wikipedia, title: str) -> None:
    ask(source, title)
    assert server.paths == [PREFIX + "Meta_Platforms"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda title: title.strip("._ ")))
@settings(max_examples=25)
def test_every_title_can_be_asked_for(server: TextServer, source: Wikipedia, title: str) -> None:
    assert ask(source, title) == Text("IBM is good.", "en", "1234")
    assert unquote(server.paths[-1].removeprefix(PREFIX)) == "_".join(title.split())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(server: TextServer, source: Wikipedia, status: int) -> None:
    server.page(Answer(status, headers={"Location": "IBM"}), title="International_Business_Machines")
    assert ask(source, "International Business Machines") == Text("IBM is good.", "en", "1234")


def test_endless_redirects_are_an_error(server: TextServer, source: Wikipedia) -> None:
    server.page(Answer(302, headers={"Location": "IBM"}))
    with pytest.raises(SourceError, match="redirects"):
        ask(source)
    assert len(server.paths) <= 7


@pytest.mark.parametrize("status", [400, 404, 410, 414])
def test_page_that_is_not_there_is_not_asked_for_again(server: TextServer, source: Wikipedia, status: int) -> None:
    server.page(Answer(status, b'{"type": "not_found"}'))
    assert ask(source) == NoText("NOT_FOUND")
    assert len(server.paths) == 1


def test_disambiguation_is_ambiguous(server: TextServer, source: Wikipedia) -> None:
    server.page(summary("Mercury may be", type="disambiguation"))
    assert ask(source) == NoText("AMBIGUOUS")


@pytest.mark.parametrize("extract", ["", "  \n\t"])
def test_page_without_text_is_not_found(server: TextServer, source: Wikipedia, extract: str) -> None:
    server.page(summary(extract, type="no-extract"))
    assert ask(source) == NoText("NOT_FOUND")


def test_revision_that_is_missing_is_replaced_or_empty(server: TextServer, source: Wikipedia) -> None:
    server.page(summary(revision=""), Answer(body=b'{"type": "standard", "extract": "IBM"}'))
    assert ask(source) == Text("IBM is good.", "en", "t-1")
    assert ask(source) == Text("IBM", "en", "")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b"[]", b'{"type": "standard"', b'{"type": "standard", "extract": null}', b"{}"],
)
def test_answer_that_is_no_summary_is_an_error(server: TextServer, source: Wikipedia, body: bytes) -> None:
    server.page(Answer(body=body))
    with pytest.raises(SourceError, match="not understood"):
        ask(source)


@pytest.mark.parametrize("body", [b'{"extract": "\xff"}', b'{"x": ' + b"[" * 100_000])
def test_answer_that_is_no_text_is_an_error(server: TextServer, source: Wikipedia, body: bytes) -> None:
    server.page(Answer(body=body))
    with pytest.raises(SourceError, match="not understood"):
        ask(source)


@pytest.mark.parametrize("character", ["a", "é", "語", "😀", "س"])
def test_long_text_is_cut_at_a_character(server: TextServer, source: Wikipedia, character: str) -> None:
    server.page(summary("x" + character * (20_000 // len(character.encode()))))
    text = ask(source)
    assert isinstance(text, Text)
    assert 5000 - len(character.encode()) < len(text.content.encode()) <= 5000
    assert text.content == "x" + character * (len(text.content) - 1)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_errors_are_waited_out(server: TextServer, source: Wikipedia, waits: list[float], status: int) -> None:
    server.page(Answer(status), Answer(status), summary())
    assert ask(source) == Text("IBM is good.", "en", "1234")
    assert len(server.paths) == 3


def test_attempts_are_bounded(server: TextServer, source: Wikipedia, waits: list[float]) -> None:
    server.page(Answer(500))
    with pytest.raises(SourceError, match="status 500"):
        ask(source)
    assert len(server.paths) == 3


@pytest.mark.parametrize("status", [401, 403, 413, 418, 501])
def test_other_errors_are_not_tried_again(server: TextServer, source: Wikipedia, status: int) -> None:
    server.page(Answer(status))
    with pytest.raises(SourceError, match=f"status {status}"):
        ask(source)
    assert len(server.paths) == 1


def test_waits_have_jitter_and_a_limit(server: TextServer, source: Wikipedia, waits: list[float]) -> None:
    server.page(Answer(503))
    for _ in range(12):
        with pytest.raises(SourceError):
            ask(source)
    assert len(set(waits)) == 12
    assert all(0.4 <= seconds <= 0.8 for seconds in waits)


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("0", 0), ("Sat, 21 Nov 2026 06:52:00 GMT", 0)])
def test_source_that_asks_for_time_is_heard(
    server: TextServer, source: Wikipedia, waits: list[float], header: str, seconds: float
) -> None:
    server.page(Answer(429, headers={"Retry-After": header}))
    with pytest.raises(SourceError, match="status 429") as caught:
        ask(source)
    assert caught.value.retry_after == seconds
    assert len(server.paths) == 3
    assert all(wait <= 2 for wait in waits), "an invocation does not wait as long as the source may ask for"
    assert seconds < 2 or waits == [2, 2]


def test_retry_after_that_cannot_be_read_is_an_error_of_the_source(server: TextServer, source: Wikipedia) -> None:
    server.page(Answer(503, headers={"Retry-After": "soon"}))
    with pytest.raises(SourceError):
        ask(source)


def test_hanging_source_is_given_up(server: TextServer, hasty: Wikipedia, waits: list[float]) -> None:
    server.page(Answer(silence=5))
    started = time.monotonic()
    with pytest.raises(SourceError, match="timed out"):
        ask(hasty)
    assert 0.4 <= time.monotonic() - started < 3
    assert len(server.paths) == 2


def test_source_that_hangs_once_is_asked_again(server: TextServer, hasty: Wikipedia) -> None:
    server.page(Answer(silence=5), summary())
    assert ask(hasty) == Text("IBM is good.", "en", "1234")


def test_dripping_source_is_given_up(server: TextServer, hasty: Wikipedia) -> None:
    server.page(Answer(body=summary().body, drip=0.015))
    started = time.monotonic()
    with suppress(SourceError):
        ask(hasty)
    assert time.monotonic() - started < 1


def test_endless_answer_is_not_read_to_its_end(server: TextServer, source: Wikipedia) -> None:
    server.page(Answer(body=b" " * 60_000_000))
    with pytest.raises(SourceError):
        ask(source)
    assert server.bytes_sent < 20_000_000


def test_answer_that_breaks_off_is_an_error(server: TextServer, source: Wikipedia) -> None:
    server.page(Answer(body=summary().body, headers={"Content-Length": "5000", "Connection": "close"}))
    with pytest.raises(SourceError, match="no answer"):
        ask(source)


def test_source_that_is_not_there_is_an_error(waits: list[float]) -> None:
    with running_text_server() as gone:
        url = gone.url
    with pytest.raises(SourceError, match="no answer"):
        ask(Wikipedia(url, "en", CONTACT))


def test_many_threads_share_the_connections(server: TextServer, source: Wikipedia) -> None:
    for number in range(100):
        server.page(summary(f"text {number}"), title=str(number))
    with ThreadPoolExecutor(max_workers=25) as pool:
        found = list(pool.map(lambda number: ask(source, str(number)), range(100)))
    assert found == [Text(f"text {number}", "en", "1234") for number in range(100)]
