"""Requests to the Action API, to a real HTTP server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from handlers.sentiment.texts import RateLimitError, SourceError
from handlers.sentiment.wikipedia.action_api import MOST_PARTS, PAUSE_SECONDS, ActionApi
from handlers.sentiment.wikipedia.answers import Page, Query
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.text_server import (
    PATH,
    Answer,
    TextServer,
    content,
    error,
    page,
    pages,
    running_text_server,
)

CONTACT = "ops@example.com"


class FakeBudget:
    """Grants requests at once, and remembers pauses."""

    def __init__(self) -> None:
        self.taken = 0
        self.pauses: list[float] = []

    def take(self, deadline: float) -> None:
        self.taken += 1

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def server() -> Iterator[TextServer]:
    with running_text_server() as running:
        yield running


@pytest.fixture
def budget() -> FakeBudget:
    return FakeBudget()


@pytest.fixture
def api(server: TextServer, budget: FakeBudget) -> ActionApi:
    return ActionApi(server.url + "/", CONTACT, "1.2.3", budget)


def ask(api: ActionApi, seconds: float = 20, **parameters: str) -> Query:
    return api.query(parameters or {"titles": "IBM"}, time.monotonic() + seconds)


def test_question_has_the_product_its_version_and_a_contact(server: TextServer, api: ActionApi) -> None:
    ask(api, titles="A|Ü & B")
    assert server.paths == [PATH]
    assert server.requests == [
        {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", "titles": "A|Ü & B"}
    ]
    agent = server.headers[0]["User-Agent"]
    assert agent == f"CloudNLP/1.2.3 ({CONTACT})"
    assert server.headers[0]["Promise-Non-Write-API-Action"] == "true"


def test_answer_is_read(server: TextServer, api: ActionApi) -> None:
    server.says(
        content(
            {
                "batchcomplete": True,
                "warnings": {"main": {"warnings": "Subscribe to the list"}},
                "query": {
                    "normalized": [{"fromencoded": False, "from": "iBM", "to": "IBM"}],
                    "redirects": [{"from": "IBM", "to": "International"}],
                    "pages": [page("International", pageprops={"disambiguation": ""}, links=[{"ns": 0, "title": "A"}])],
                },
            }
        )
    )
    query = ask(api)
    assert [(step.source, step.to) for step in query.steps] == [("iBM", "IBM"), ("IBM", "International")]
    [found] = query.pages
    assert (found.title, found.lastrevid, found.pageprops) == ("International", 1234, {"disambiguation": ""})
    assert [link.title for link in found.links] == ["A"]


def test_answer_in_parts_is_put_together(server: TextServer, api: ActionApi, budget: FakeBudget) -> None:
    first = {"continue": {"excontinue": 1, "continue": "||info"}}
    server.says(
        pages(page("A", extract="a"), page("B"), **first),
        pages({"title": "A", "ns": 0}, page("B", extract="b", pageprops={"disambiguation": ""})),
    )
    query = ask(api, titles="A|B")
    assert [(one.title, one.extract, one.lastrevid) for one in query.pages] == [("A", "a", 1234), ("B", "b", 1234)]
    assert query.pages[1].pageprops == {"disambiguation": ""}
    assert (server.requests[1]["excontinue"], server.requests[1]["continue"]) == ("1", "||info")
    assert server.requests[1]["titles"] == "A|B"
    assert budget.taken == 2, "each part is a request"


def test_answer_in_endless_parts_is_an_error(server: TextServer, api: ActionApi) -> None:
    server.says(pages(page(), **{"continue": {"x": 1}}))
    with pytest.raises(SourceError, match="parts"):
        ask(api)
    assert len(server.requests) == MOST_PARTS


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 408, 500, 502, 503, 504])
def test_failing_status_is_an_error_and_not_tried_again(server: TextServer, api: ActionApi, status: int) -> None:
    server.says(Answer(status, headers={"Location": "/elsewhere"}))
    with pytest.raises(SourceError, match=f"status {status}") as caught:
        ask(api)
    assert not isinstance(caught.value, RateLimitError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "code", ["internal_api_error_DBQueryError", "badvalue", "toomanyvalues", "readonly", "mustpostparams"]
)
def test_error_in_the_answer_is_an_error(server: TextServer, api: ActionApi, code: str) -> None:
    server.says(error(code))
    with pytest.raises(SourceError, match=f"error {code}: of the test") as caught:
        ask(api)
    assert not isinstance(caught.value, RateLimitError)


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [
        (Answer(429, headers={"Retry-After": "120"}), 120),
        (Answer(429), PAUSE_SECONDS),
        (Answer(429, headers={"Retry-After": "Sat, 21 Nov 2026 06:52:00 GMT"}), PAUSE_SECONDS),
        (Answer(503, headers={"Retry-After": "77"}), 77),
        (error("maxlag", lag=9.5), 9.5),
        (error("maxlag", lag=0.1), 5),
        (content({"error": {"code": "maxlag", "info": "", "lag": 3}}, **{"Retry-After": "45"}), 45),
        (error("ratelimited"), PAUSE_SECONDS),
    ],
)
def test_limit_pauses_everybody_and_is_no_failure(
    server: TextServer, api: ActionApi, budget: FakeBudget, log_lines: LogLines, refusal: Answer, seconds: float
) -> None:
    server.says(refusal)
    with pytest.raises(RateLimitError) as caught:
        ask(api, seconds=4)
    assert caught.value.retry_after == seconds
    assert budget.pauses == [seconds]
    assert len(server.requests) == 1
    assert (api.requests, api.refusals) == (1, 1)
    assert [line["seconds"] for line in log_lines()] == [seconds]


def test_pause_that_ends_in_time_is_waited_for_by_the_budget(
    server: TextServer, api: ActionApi, budget: FakeBudget
) -> None:
    server.says(Answer(429, headers={"Retry-After": "2"}), error("maxlag", lag=1), pages(page()))
    assert ask(api).pages[0].title == "IBM"
    assert (budget.taken, budget.pauses) == (3, [2, 5])


def test_question_without_a_turn_is_not_asked(
    server: TextServer, api: ActionApi, budget: FakeBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(deadline: float) -> None:
        raise RateLimitError("limit on requests reached", 9)

    monkeypatch.setattr(budget, "take", refuse)
    with pytest.raises(RateLimitError):
        ask(api)
    assert server.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'{"query": {"pages": {}}}',
        b'{"query": {"pages": [{"ns": 0}]}}',
        b'{"query": {"pages": [{"title": "\xff"}]}}',
        b'{"x": ' + b"[" * 100_000,
    ],
)
def test_answer_that_is_not_understood_is_an_error(server: TextServer, api: ActionApi, body: bytes) -> None:
    server.says(Answer(body=body))
    with pytest.raises(SourceError, match="not understood"):
        ask(api)


def test_answer_without_pages_is_empty(server: TextServer, api: ActionApi) -> None:
    server.says(content({"batchcomplete": True}))
    assert ask(api) == Query()


def test_hanging_source_is_given_up_in_a_third_of_the_time(server: TextServer, api: ActionApi) -> None:
    server.says(Answer(silence=5))
    started = time.monotonic()
    with pytest.raises(SourceError, match="timed out"):
        ask(api, seconds=0.9)
    assert 0.25 <= time.monotonic() - started < 0.8


def test_dripping_source_is_given_up(server: TextServer, budget: FakeBudget) -> None:
    server.says(Answer(body=pages(page()).body, drip=0.015))
    started = time.monotonic()
    with pytest.raises(SourceError, match="in time"):
        ask(ActionApi(server.url, CONTACT, "1", budget, timeout=0.2))
    assert time.monotonic() - started < 1


def test_endless_answer_is_not_read_to_its_end(server: TextServer, api: ActionApi) -> None:
    server.says(Answer(body=b" " * 60_000_000))
    with pytest.raises(SourceError, match="longer than"):
        ask(api)
    assert server.bytes_sent < 20_000_000


def test_answer_that_breaks_off_is_an_error(server: TextServer, api: ActionApi) -> None:
    server.says(Answer(body=pages(page()).body, headers={"Content-Length": "5000", "Connection": "close"}))
    with pytest.raises(SourceError, match="no answer"):
        ask(api)


def test_source_that_is_not_there_is_an_error(budget: FakeBudget) -> None:
    with running_text_server() as gone:
        url = gone.url
    with pytest.raises(SourceError, match="no answer"):
        ask(ActionApi(url, CONTACT, "1", budget))


def test_connection_is_kept(server: TextServer, api: ActionApi) -> None:
    for _ in range(3):
        ask(api)
    [pool] = [api._pool.pools[key] for key in api._pool.pools.keys()]  # noqa: SIM118 - it is no mapping
    assert pool.num_connections == 1


def test_pages_of_a_part_are_merged_without_losing_anything() -> None:
    one = Page("A", lastrevid=7, extract="first")
    one.add(Page("A", lastrevid=8, extract="second", pageprops={"disambiguation": ""}))
    assert json.dumps([one.lastrevid, one.extract, one.pageprops]) == '[7, "first", {"disambiguation": ""}]'
