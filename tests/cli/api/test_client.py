"""Requests to the HTTP API: what is repeated and when, what a refusal becomes, and pages of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from cli.api import backoff
from cli.api.client import Api
from cli.api.errors import ApiError
from cli.aws.deployment import Deployment
from cli.ui.errors import CliError
from tests.support.cli_api import DROPPED, Answer, ApiServer, answer, jwt, page, problem, running_api

KEY = "7e3f"
FINE = answer({"fine": True})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with running_api(tmp_path) as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def api(server: ApiServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("NLP_TOKEN", jwt())
    with closing(Api(deployment(server.url), pauses.append)) as api:
        yield api


def deployment(url: str) -> Deployment:
    return Deployment("local", {"api_url": url + "/", "region": "eu-central-1"}, url)


def test_each_request_carries_the_token(server: ApiServer, api: Api) -> None:
    server.on("GET", "/projects", FINE)
    assert api.get("projects", archived="true", cursor=None) == {"fine": True}
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {jwt()}"
    assert request.query == {"archived": "true"}


def test_parts_of_a_path_stay_in_their_place(server: ApiServer, api: Api) -> None:
    server.on("GET", "/projects/../x?y", FINE)
    assert api.get("projects", "../x?y") == {"fine": True}


@pytest.mark.parametrize("passing", [DROPPED, Answer(500), Answer(503), Answer(502), Answer(429)])
@pytest.mark.parametrize(
    "send",
    [
        lambda api: api.get("x"),
        lambda api: api.delete("x"),
        lambda api: api.post("x", body={"a": 1}, key=KEY),
    ],
)
def test_what_may_be_repeated_is(
    server: ApiServer, api: Api, pauses: list[float], passing: Answer, send: Callable[[Api], Any]
) -> None:
    for method in ("GET", "DELETE", "POST"):
        server.on(method, "/x", passing, passing, FINE)
    assert send(api) == {"fine": True}
    assert len(server.requests) == 3
    assert len(pauses) == 2
    assert len({(request.body, request.headers.get("idempotency-key")) for request in server.requests}) == 1


@pytest.mark.parametrize(("passing", "expected"), [(DROPPED, "not reachable"), (Answer(503), "failed even after")])
def test_a_change_without_a_key_is_sent_once(
    server: ApiServer, api: Api, pauses: list[float], passing: Answer, expected: str
) -> None:
    server.on("PATCH", "/x", passing, FINE)
    with pytest.raises(CliError, match=expected):
        api.patch("x", body={})
    assert (len(server.requests), pauses) == (1, [])


def test_a_change_that_was_not_carried_out_is_repeated(server: ApiServer, api: Api) -> None:
    changed = problem("project-changed", 409, retry_after="1")
    server.on("PATCH", "/x", Answer(429), changed, FINE)
    assert api.patch("x", body={}) == {"fine": True}


def test_pauses_grow_and_are_random(server: ApiServer, api: Api, pauses: list[float]) -> None:
    server.on("GET", "/x", Answer(503))
    with pytest.raises(ApiError) as error:
        api.get("x")
    assert (error.value.status, error.value.repeated) == (503, True)
    assert len(pauses) == backoff.BACKOFF.attempts - 1
    assert all(0 <= pause <= backoff.BACKOFF.first_seconds * 2**number for number, pause in enumerate(pauses))
    assert len(set(pauses)) == len(pauses)


@pytest.mark.parametrize("asked_for", ["20", lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=20.9))])
def test_a_pause_that_is_asked_for_is_kept(
    server: ApiServer, api: Api, pauses: list[float], asked_for: str | Callable[[], str]
) -> None:
    header = asked_for if isinstance(asked_for, str) else asked_for()
    server.on("POST", "/x", Answer(429, headers={"retry-after": header}), FINE)
    api.post("x", body={}, key=KEY)
    (pause,) = pauses
    assert 19 <= pause < 22


def test_a_request_that_is_being_worked_on_is_waited_for(server: ApiServer, api: Api, pauses: list[float]) -> None:
    server.on("POST", "/x", problem("idempotency-key-in-use", 409, retry_after="40"), FINE)
    assert api.post("x", body={}, key=KEY) == {"fine": True}
    assert pauses[0] >= 40


def test_a_pause_of_minutes_is_not_waited_for(server: ApiServer, api: Api, pauses: list[float]) -> None:
    server.on("GET", "/x", Answer(429, headers={"retry-after": "3600"}))
    with pytest.raises(ApiError, match="too many requests"):
        api.get("x")
    assert pauses == []


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), ("7", 7), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert backoff.retry_after(value) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (problem("not-found", 404, "There is no such job."), "Not found: There is no such job."),
        (problem("job-not-running", 409, "The job is failed."), "Job not running: The job is failed."),
        (
            problem(
                "invalid-fields",
                422,
                "name: 1 to 200 characters; x: no such field",
                [{"field": "name", "expected": "1 to 200 characters"}, {"field": "x", "expected": "no such field"}],
            ),
            "Invalid fields: name: 1 to 200 characters; x: no such field",
        ),
        (answer({"message": "Not Found"}, 404), "deploy again"),
        (answer({"message": "Forbidden"}, 403), "nlp login"),
        (Answer(418), "The API answers with 418"),
        (Answer(400, b"<html>"), "The API answers with 400"),
    ],
)
def test_a_refusal_is_one_line(server: ApiServer, api: Api, given: Answer, expected: str) -> None:
    server.on("GET", "/x", given)
    with pytest.raises(ApiError) as error:
        api.get("x")
    assert expected in error.value.message
    assert (error.value.status, error.value.repeated, len(server.requests)) == (given.status, False, 1)


def test_a_failure_names_the_request_in_the_log(server: ApiServer, api: Api) -> None:
    server.on("PATCH", "/x", problem("unexpected", 500, "It was logged.", apigw_requestid="abc="))
    with pytest.raises(ApiError, match=r"\(500\): It was logged\. \(request abc=\)"):
        api.patch("x", body={})


def test_fields_are_named_by_their_options() -> None:
    error = ApiError("Wrong: options.target: a code", 422, "invalid-fields", {"options.target": "a code"}, "Wrong")
    assert error.with_option_names({"options.target": "--to"}, "Advice.").message == "Wrong: --to: a code Advice."
    assert ApiError("Detail.", 409).with_option_names({"options.target": "--to"}).message == "Detail."


def test_what_is_not_the_api_is_told(server: ApiServer, api: Api) -> None:
    server.on("GET", "/x", Answer(200, b"<html>A router</html>"))
    with pytest.raises(ApiError, match="not as the API does"):
        api.get("x")


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLP_TOKEN", jwt())
    pauses: list[float] = []
    with (
        closing(Api(deployment("http://127.0.0.1:1"), pauses.append)) as api,
        pytest.raises(CliError, match=r"127\.0\.0\.1:1 is not reachable"),
    ):
        api.patch("x", body={})
    assert len(pauses) == backoff.BACKOFF.attempts - 1  # nothing was sent, so even a change is tried again


def test_pages_are_read_as_they_are_taken(server: ApiServer, api: Api) -> None:
    server.on("GET", "/x", page("some", 1, 2, following="c1"), page("some", 3, following="c2"), page("some"))
    entries = api.pages("some", "x", status="failed")
    assert next(entries) == 1
    assert len(server.requests) == 1
    assert list(entries) == [2, 3]
    assert [request.query.get("cursor") for request in server.requests] == [None, "c1", "c2"]
    assert {(request.query["status"], request.query["limit"]) for request in server.requests} == {("failed", "100")}


def test_the_proxy_is_not_for_the_embedded_aws(server: ApiServer, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.on("GET", "/x", FINE)
    assert api.get("x") == {"fine": True}
