"""What every endpoint does with requests: malformed ones, errors of AWS, logs; and never a 500 for bad input."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import msgspec
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.api.support.pagination import decode_cursor, encode_cursor
from handlers.api.support.registry import OPERATIONS, Operation
from handlers.api.support.requests import Request
from handlers.common.ids import new_id
from handlers.common.job_options import OPTIONS_OF_KIND
from handlers.common.problems import Problem
from handlers.projects.models import Kind, Status
from schema.ids import is_id
from tests.handlers.api.harness import Api, User, gateway_event
from tests.handlers.conftest import LogLines
from tests.support.operations import BY_SCRIPT, PAGED, parameters


@pytest.mark.parametrize(
    ("body", "headers", "status", "problem"),
    [
        ("{", {}, 400, "malformed-request"),
        ("", {}, 400, "malformed-request"),
        ('{"name": "\\ud800"}', {}, 400, "malformed-request"),
        ("[" * 100_000, {}, 400, "malformed-request"),
        ('{"name": NaN}', {}, 400, "malformed-request"),
        ('{"name": "x"}', {"content-type": "text/plain"}, 415, "not-json"),
        ('{"name": "x"}', {"content-type": ""}, 415, "not-json"),
        ('{"name": "x"}', {"content-type": "application/json; charset=latin1"}, 415, "not-json"),
        ('{"name": "' + "x" * 1_000_000 + '"}', {}, 413, "request-too-large"),
        ('{"name": "' + "ä" * 500_000 + '"}', {}, 413, "request-too-large"),
        ("[]", {}, 422, "invalid-fields"),
        ("null", {}, 422, "invalid-fields"),
        ('{"name": "x"}', {"idempotency-key": ""}, 400, "malformed-request"),
        ('{"name": "x"}', {"idempotency-key": "two words"}, 400, "malformed-request"),
        ('{"name": "x"}', {"idempotency-key": "x" * 256}, 400, "malformed-request"),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(
    ann: User, body: str, headers: dict[str, str], status: int, problem: str
) -> None:
    response = ann("projects_create", body=body, headers=headers)
    assert (response.status, response.problem) == (status, problem)
    assert ann.ok("projects_list")["projects"] == []


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=UTF-8"])
def test_bodies_may_come_encoded(ann: User, content_type: str) -> None:
    event = gateway_event(BY_SCRIPT["projects_create"], (), ann.sub, body="", headers={"content-type": content_type})
    event |= {"body": base64.b64encode('{"name": "Ä"}'.encode()).decode(), "isBase64Encoded": True}
    assert ann.api.send("projects_create", event).json["name"] == "Ä"
    for body in ("no base64!", base64.b64encode(b'{"name": "\xff"}').decode()):
        assert ann.api.send("projects_create", event | {"body": body}).status == 400


@pytest.mark.parametrize(
    ("number", "expected"), [("2", 2), ("2.0", 2), ("20e-1", 2), ("2.5", None), ("1e400", None), ("1e300", None)]
)
def test_numbers_are_what_they_mean_however_they_are_written(number: str, expected: int | None) -> None:
    options = OPTIONS_OF_KIND["analyse"]
    event = {"body": f'{{"summary_sentences": {number}}}', "headers": {"content-type": "application/json"}}
    if expected is None:
        with pytest.raises(Problem, match="summary_sentences"):
            Request(event).body(options)
    else:
        assert msgspec.structs.asdict(Request(event).body(options))["summary_sentences"] == expected


def test_all_wrong_fields_are_named_with_what_was_expected(ann: User) -> None:
    body = {"name": " ", "description": 1, "shared_with": ["ok", "not ok"], "owner": "me"}
    response = ann("projects_create", body=body)
    expected = {error["field"]: error["expected"] for error in response.json["errors"]}
    assert response.status == 422
    assert list(expected) == ["owner", "name", "description", "shared_with[1]"]
    assert expected["name"].startswith("1 to 200 characters")
    assert expected["owner"] == "one of the known fields: name, description, shared_with"
    assert "str" in expected["description"]
    assert response.json["detail"].startswith("owner: one of")
    assert ann("projects_create", body={}).json["errors"] == [
        {"field": "name", "expected": "this field, which is missing"}
    ]
    assert ann("project_change", new_id(), body={"name": ""}).json["errors"][0]["expected"].startswith("1 to 200")


def test_choices_are_listed(ann: User) -> None:
    project = ann.project()

    def expected(script: str, *path: str, **request: Any) -> str:
        [error] = ann(script, *path, **request).json["errors"]
        return error["expected"]

    statuses = expected("jobs_list", project, query={"status": "foo"})
    assert set(statuses.removeprefix("one of ").split(", ")) == set(get_args(Status))
    kinds = expected("jobs_create", project, body={"kind": "foo"})
    assert set(kinds.removeprefix("one of ").split(", ")) == set(get_args(Kind))
    engine = {"kind": "translate", "options": {"target": "de", "engine": "foo"}}
    assert expected("jobs_create", project, body=engine) == "one of amazon, marian"
    assert expected("sentiment", body={"texts": ["Good."], "language": "xx"}).startswith("one of ")
    assert expected("project_change", project, body={"name": 1}) == "`str`, got `int`"


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if not operation.public])
def test_without_a_token_nothing_is_done(api: Api, operation: Any) -> None:
    path = [new_id() for _ in parameters(operation)]
    body = operation.example and dict(operation.example)
    event = gateway_event(operation, tuple(path), body=body, headers={"x-user": "ann", "authorization": "Bearer x"})
    claims = ({}, {"sub": ""}, {"sub": "ann", "token_use": "id"})
    for authorizer in (None, {}, {"jwt": None}, *({"jwt": {"claims": one}} for one in claims)):
        event["requestContext"]["authorizer"] = authorizer
        response = api.send(operation.script, event)
        assert (response.status, response.problem) == (401, "not-signed-in")


@pytest.mark.parametrize("operation", PAGED)
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "0"}, 422),
        ({"limit": "101"}, 422),
        ({"limit": "1,2"}, 422),
        ({"limit": ""}, 422),
        ({"limit": "1e9"}, 422),
        ({"page": "2"}, 422),
        ({"cursor": ""}, 400),
        ({"cursor": "!"}, 400),
        ({"cursor": "Ä"}, 400),
        ({"cursor": "AAAA"}, 400),
        ({"cursor": encode_cursor("other", "x") or ""}, 400),
        ({"cursor": encode_cursor("companies", "x" * 2049) or ""}, 400),
        ({"cursor": encode_cursor("results", "\x00") or ""}, 400),
        ({"cursor": encode_cursor("jobs", "' OR 1") or ""}, 400),
    ],
)
def test_wrong_pages_are_refused(ann: User, operation: Operation, query: dict[str, str], status: int) -> None:
    there = {"project": ann.project(), "name": "Company"}
    path = [there.get(name) or new_id() for name in parameters(operation)]
    assert ann(operation.script, *path, query=query).status == status


def test_a_cursor_leads_nowhere_but_into_the_callers_own_lists(ann: User, bob: User) -> None:
    for _ in range(3):
        ann.project()
    cursor = ann.ok("projects_list", query={"limit": "1"})["next"]
    mine = bob.project(name="Bob's")
    assert bob.ok("projects_list", query={"cursor": cursor})["projects"] == []
    assert bob.ok("projects_list", query={"cursor": encode_cursor("projects", mine) or ""})["projects"]


@given(st.text(max_size=900))
def test_any_position_survives_its_cursor(position: str) -> None:
    if position.isprintable():
        cursor = encode_cursor("list", position)
        assert cursor
        assert cursor.isascii()
        assert decode_cursor("list", cursor, lambda text: text == position) == position


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_other_cursor_is_a_problem(cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        decode_cursor("list", cursor, is_id)
    assert caught.value.status == 400


def _client_error(code: str, **response: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret detail"}, **response}, "GetItem")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (_client_error("ThrottlingException"), 429),
        (_client_error("ProvisionedThroughputExceededException"), 429),
        (_client_error("SlowDown"), 429),
        (_client_error("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}]), 429),
        (_client_error("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}]), 503),
        (_client_error("InternalServerError"), 503),
        (ConnectTimeoutError(endpoint_url="https://secret"), 503),
        (TimeoutError("secret"), 503),
        (_client_error("AccessDeniedException"), 500),
        (KeyError("secret"), 500),
    ],
)
def test_errors_of_aws_are_told_without_details(
    ann: User, monkeypatch: pytest.MonkeyPatch, log_lines: LogLines, error: Exception, status: int
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(ann.api.modules["project_get"].projects, "get", fail)
    response = ann("project_get", new_id(), fails=True)
    assert response.status == status
    assert "secret" not in response.text
    assert (response.headers.get("retry-after") == "1") is (status != 500)
    failed = next(line for line in log_lines() if line["message"] == "failed")
    assert failed["request_id"] == "request-1"
    assert failed["gateway_request"] == "gateway-1"
    assert type(error).__name__ in failed["exc_info"]


def test_requests_are_logged_without_bodies_and_tokens(
    ann: User, log_lines: LogLines, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"authorization": "Bearer secret-token"}
    ann("projects_create", body={"name": "secret-name"}, headers=headers)
    ann("projects_create", body={"name": "", "secret-field": "secret-value"}, headers=headers)
    lines = [line for line in log_lines() if line["message"] == "answered"]
    assert [line["status"] for line in lines] == [201, 422]
    assert lines[0]["route"] == "POST /projects"
    assert lines[0]["milliseconds"] >= 0
    # API Gateway counts requests, refusals and failures; to count them again would cost something.
    assert capsys.readouterr().out == ""
    assert "secret" not in json.dumps(log_lines())


def test_health_and_description_are_public(api: Api) -> None:
    health = api.call("health").json
    assert (health["status"], health["version"]) == ("ok", "1.2.3")
    assert health["time"].endswith("Z")
    described = api.call("openapi")
    assert described.json["openapi"] == "3.1.0"
    assert described.headers["cache-control"] == "public, max-age=300"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELDS = ["name", "description", "shared_with", "active", "kind", "options", "target", "texts", "language", "page"]
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(["analyse", "translate", "a.txt"]))
TEXTS = st.text(max_size=30)


@given(data=st.data())
@settings(max_examples=300)
def test_no_input_is_a_surprise(data: st.DataObject, api: Api) -> None:
    """Whatever comes, the answer is a documented one."""
    user = _fuzzing_user(api)
    operation = data.draw(st.sampled_from(OPERATIONS))
    ids = st.sampled_from([user.known_project, user.known_job, new_id(), "latest"]) | TEXTS
    path = [data.draw(ids) for _ in parameters(operation)]
    query = data.draw(
        st.dictionaries(
            st.sampled_from(["limit", "cursor", "status", "kind", "archived", "x"]),
            TEXTS | st.sampled_from(["1", "true", "running", "analyse"]),
        )
    )
    body = data.draw(st.none() | TEXTS | JSON.map(json.dumps) | BODIES.map(json.dumps))
    headers = data.draw(
        st.dictionaries(st.sampled_from(["content-type", "idempotency-key"]), TEXTS | st.just("application/json"))
    )
    event = gateway_event(operation, tuple(path), user.sub, query, body, headers)
    event["isBase64Encoded"] = data.draw(st.booleans())
    api.send(operation.script, event)


class FuzzingUser(User):
    known_project: str
    known_job: str


_FUZZING: list[FuzzingUser] = []


def _fuzzing_user(api: Api) -> FuzzingUser:
    """One user, with a project and a job, for all examples."""
    if not _FUZZING:
        user = FuzzingUser(api)
        user.known_project = user.ready()
        user.known_job = user.job(user.known_project)
        _FUZZING.append(user)
    return _FUZZING[0]
