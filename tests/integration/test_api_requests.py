"""Requests that are wrong: refusals name what was expected where, and are never server errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from handlers.api.support.registry import OPERATIONS, Operation
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from tests.integration.api_story import COMPANY, assert_problem, example, path_of, project_with
from tests.support.operations import BY_SCRIPT

WITH_BODY = [operation for operation in OPERATIONS if operation.request]
IDEMPOTENT = [operation for operation in OPERATIONS if operation.idempotent]
JSON = "application/json"
ORIGIN = "http://localhost:8501"
TRANSLATE = {"target": "de"}

Send = Callable[..., httpx.Response]


def name_of(operation: Operation) -> str:
    return operation.script


@pytest.fixture(scope="module")
def project(ann: ApiUser) -> str:
    return project_with(ann, "We are happy.")


@pytest.fixture(scope="module", autouse=True)
def _without_companies(ann: ApiUser) -> Iterator[None]:
    """Leave the watch-list, which is one for all, as it was."""
    yield
    ann.request("DELETE", f"/companies/{COMPANY}")


@pytest.fixture(scope="module")
def send(ann: ApiUser, stack: LocalStack) -> Send:
    """Send a request for an endpoint that has not the form it should have."""

    def send(operation: Operation, project: str, content: bytes, **headers: Any) -> httpx.Response:
        url = stack.outputs["api_url"] + path_of(operation, project)
        named = {"authorization": f"Bearer {ann.token}", "content-type": JSON} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        sent = {name: value for name, value in named.items() if value is not None}
        return httpx.request(operation.method, url, content=content, headers=sent, timeout=35)

    return send


# Bodies


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"name": "A",}', b"\xff\xfe", b'{"name": NaN}', b"[" * 100_000],
    ids=["empty", "cut off", "comma", "not UTF-8", "NaN", "deep"],
)
@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
def test_what_is_not_json_is_malformed(send: Send, project: str, operation: Operation, content: bytes) -> None:
    assert_problem(send(operation, project, content), 400, "malformed-request")


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/json; charset=utf-16"],
)  # fmt: skip
@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
def test_another_content_type_is_refused(
    send: Send, project: str, operation: Operation, content_type: str | None
) -> None:
    answer = send(operation, project, json.dumps(example(operation)).encode(), content_type=content_type)

    assert_problem(answer, 415, "not-json")


@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
def test_a_large_body_is_refused(send: Send, project: str, operation: Operation) -> None:
    content = json.dumps({**example(operation), "name": "x" * 1_000_000}).encode()

    assert_problem(send(operation, project, content), 413, "request-too-large")


@pytest.mark.parametrize("value", [[], "text", 1, None, True])
@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
def test_a_body_is_an_object(send: Send, project: str, operation: Operation, value: Any) -> None:
    answer = send(operation, project, json.dumps(value).encode())

    assert_problem(answer, 422, "invalid-fields", "body")


@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
def test_an_unknown_field_is_named(ann: ApiUser, project: str, operation: Operation) -> None:
    answer = ann.request(operation.method, path_of(operation, project), {**example(operation), "surprise": 1})

    assert_problem(answer, 422, "invalid-fields", "surprise")


@pytest.mark.parametrize(
    ("script", "body", "fields"),
    [
        ("projects_create", {}, ["name"]),
        ("projects_create", {"name": 42, "description": []}, ["name", "description"]),
        ("projects_create", {"name": "A", "shared_with": "ann"}, ["shared_with"]),
        ("projects_create", {"name": " "}, ["name"]),
        ("projects_create", {"name": "x" * 201}, ["name"]),
        ("projects_create", {"name": "A\nB"}, ["name"]),
        ("projects_create", {"name": "A", "description": "x" * 2001}, ["description"]),
        ("projects_create", {"name": "A", "shared_with": ["ann", "two words"]}, ["shared_with[1]"]),
        ("project_change", {"name": None}, ["name"]),
        ("project_change", {"active": False}, ["active"]),
        ("project_change", {"active": "yes", "name": ""}, ["active", "name"]),
        ("project_change", {"owner": "bob"}, ["owner"]),
        ("documents_create", {}, ["name"]),
        ("documents_create", {"name": ["a.txt"]}, ["name"]),
        ("documents_create", {"name": "a.exe"}, ["name"]),
        ("jobs_create", {}, ["kind"]),
        ("jobs_create", {"kind": "summarise"}, ["kind"]),
        ("jobs_create", {"kind": 1}, ["kind"]),
        ("jobs_create", {"kind": "translate"}, ["options"]),
        ("jobs_create", {"kind": "translate", "options": {}}, ["options.target"]),
        ("jobs_create", {"kind": "translate", "options": {"target": "German"}}, ["options.target"]),
        ("jobs_create", {"kind": "translate", "options": {"target": "xx"}}, ["options.target"]),
        ("jobs_create", {"kind": "translate", "options": {"target": "de", "source": "de"}}, ["options.target"]),
        ("jobs_create", {"kind": "translate", "options": {**TRANSLATE, "engine": "google"}}, ["options.engine"]),
        ("jobs_create", {"kind": "translate", "options": {**TRANSLATE, "engine": "marian"}}, ["options.source"]),
        ("jobs_create", {"kind": "translate", "options": {**TRANSLATE, "source": "is", "engine": "marian"}},
         ["options.engine"]),
        ("jobs_create", {"kind": "analyse", "options": TRANSLATE}, ["options.target"]),
        ("jobs_create", {"kind": "analyse", "options": {"topics": 0}}, ["options.topics"]),
        ("jobs_create", {"kind": "analyse", "options": {"topics": 21}}, ["options.topics"]),
        ("jobs_create", {"kind": "analyse", "options": {"topics": "3"}}, ["options.topics"]),
        ("jobs_create", {"kind": "analyse", "options": {"language": "is"}}, ["options.language"]),
        ("jobs_create", {"kind": "analyse", "status": "completed"}, ["status"]),
        ("company_put", {"page": 1}, ["page"]),
        ("company_put", {"page": ""}, ["page"]),
        ("company_put", {"page": "x" * 1000}, ["page"]),
        ("companies_change", {"changes": []}, ["changes"]),
        ("companies_change", {"changes": [{"name": "A"}]}, ["changes[0].action"]),
        ("companies_change", {"changes": [{"action": "add", "name": "A", "new_name": "B"}]}, ["changes[0].new_name"]),
        ("companies_change", {"changes": [{"action": "add", "name": ""}, {"action": "remove", "name": "\t"}]},
         ["changes[0].name", "changes[1].name"]),
        ("sentiment", {}, ["texts"]),
        ("sentiment", {"texts": []}, ["texts"]),
        ("sentiment", {"texts": "Good."}, ["texts"]),
        ("sentiment", {"texts": ["Good.", ""]}, ["texts[1]"]),
        ("sentiment", {"texts": ["Good.", 2]}, ["texts[1]"]),
        ("sentiment", {"texts": ["Good.", "ü" * 2501]}, ["texts[1]"]),
        ("sentiment", {"texts": ["Good."], "language": "is"}, ["language"]),
    ],
)  # fmt: skip
def test_wrong_fields_are_named(ann: ApiUser, project: str, script: str, body: Any, fields: list[str]) -> None:
    operation = BY_SCRIPT[script]

    assert_problem(ann.request(operation.method, path_of(operation, project), body), 422, "invalid-fields", *fields)


@pytest.mark.parametrize(
    ("script", "body", "field"),
    [
        ("sentiment", {"texts": ["Good."] * 26}, "texts"),
        ("companies_change", {"changes": [{"action": "remove", "name": "A"}] * 101}, "changes"),
        ("projects_create", {"name": "A", "shared_with": [f"user-{number}" for number in range(50)]}, "shared_with"),
    ],
)
def test_a_list_that_is_too_long_is_too_large(ann: ApiUser, script: str, body: Any, field: str) -> None:
    operation = BY_SCRIPT[script]

    assert_problem(ann.request(operation.method, operation.path, body), 413, "request-too-large", field)


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
@pytest.mark.parametrize("name", ["x" * 300, "%20"])
def test_what_is_no_companys_name_is_refused(ann: ApiUser, method: str, name: str) -> None:
    answer = ann.request(method, f"/companies/{name}", {} if method == "PUT" else None)

    assert answer.status_code in (404, 422), answer.text
    assert_problem(answer, answer.status_code, answer.json()["type"].rpartition(":")[2], "name")


def test_a_name_that_can_only_be_an_older_companys_is_looked_for(ann: ApiUser) -> None:
    assert_problem(ann.request("PUT", "/companies/%01", {}), 422, "invalid-fields", "name")
    for method in ("GET", "DELETE"):
        assert_problem(ann.request(method, "/companies/%01"), 404, "not-found")


@pytest.mark.parametrize("key", ["two words", "x" * 256, "ü".encode()])
@pytest.mark.parametrize("operation", IDEMPOTENT, ids=name_of)
def test_what_is_no_key_is_malformed(send: Send, project: str, operation: Operation, key: str | bytes) -> None:
    answer = send(operation, project, json.dumps(example(operation)).encode(), idempotency_key=key)

    assert_problem(answer, 400, "malformed-request")


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PUT", "/projects"), ("POST", "/health")])
def test_what_no_endpoint_is_for_is_not_there(ann: ApiUser, method: str, path: str) -> None:
    answer = ann.request(method, path)

    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


# Web pages


def test_only_known_origins_may_call(ann: ApiUser, stack: LocalStack) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,idempotency-key"}
    url = f"{stack.outputs['api_url']}/projects"

    allowed = httpx.options(url, headers={"origin": ORIGIN, **asked})
    other = httpx.options(url, headers={"origin": "https://evil.example.com", **asked})
    answer = ann.request("GET", "/projects", headers={"origin": ORIGIN})

    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert {"authorization", "idempotency-key"} <= set(allowed.headers["access-control-allow-headers"].split(","))
    assert "access-control-allow-origin" not in other.headers
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["cache-control"] == "no-store"
