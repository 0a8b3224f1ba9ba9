"""Requests that are sent again: with one idempotency key, and because a service could not take them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handlers.api.support.registry import OPERATIONS, Operation
from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from tests.integration.api_story import Backstage, assert_problem, example, path_of, project_with, subject

IDEMPOTENT = [operation for operation in OPERATIONS if operation.idempotent]

# By script, how another request's body differs from the example.
OTHERS: dict[str, dict[str, Any]] = {
    "projects_create": {"name": "Another"},
    "documents_create": {"name": "another.txt"},
    "jobs_create": {"options": {"target": "fr"}},
    "sentiment": {"texts": ["Another."]},
}


def name_of(operation: Operation) -> str:
    return operation.script


@pytest.fixture(scope="module")
def project(ann: ApiUser) -> str:
    return project_with(ann, "We are happy.")


@pytest.fixture(autouse=True)
def _without_faults(backstage: Backstage) -> Iterator[None]:
    yield
    backstage.control.clear_faults()


@pytest.mark.parametrize("operation", IDEMPOTENT, ids=name_of)
def test_a_repeated_request_is_done_once_and_another_one_refused(
    ann: ApiUser, bob: ApiUser, operation: Operation
) -> None:
    project = project_with(ann, "We are happy.")
    path, body, key = path_of(operation, project), example(operation), {"idempotency-key": new_id()}

    first = ann.request("POST", path, body, key)
    again = [ann.request("POST", path, body, key) for _ in range(2)]

    assert first.status_code in operation.answers
    for answer in again:
        assert (answer.status_code, answer.headers.get("location")) == (
            first.status_code,
            first.headers.get("location"),
        )
        assert without_form(answer.json()) == without_form(first.json())
    if operation.script in OTHERS:
        other = ann.request("POST", path, {**body, **OTHERS[operation.script]}, key)
        assert_problem(other, 409, "idempotency-key-in-use")
    if operation.script == "projects_create":
        theirs = bob.request("POST", path, body, key)
        assert (theirs.status_code, theirs.json()["owner"]) == (201, subject(bob))
        assert theirs.json()["project"] != first.json()["project"]


def without_form(answer: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is signed anew for each request."""
    return {name: value for name, value in answer.items() if name != "form"}


@pytest.mark.parametrize("operation", [one for one in IDEMPOTENT if one.script != "jobs_create"], ids=name_of)
def test_simultaneous_requests_with_one_key_are_done_once(ann: ApiUser, project: str, operation: Operation) -> None:
    path, body, key = path_of(operation, project), example(operation), {"idempotency-key": new_id()}

    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: ann.request("POST", path, body, key), range(5)))

    assert {answer.status_code for answer in answers} <= set(operation.answers)
    assert len({json.dumps(without_form(answer.json())) for answer in answers}) == 1


# What is not the request's fault


@pytest.mark.parametrize(
    ("service", "code", "status", "kind"),
    [
        ("dynamodb", "ThrottlingException", 429, "too-many-requests"),
        ("dynamodb", "InternalServerError", 503, "unavailable"),
        ("s3", "SlowDown", 429, "too-many-requests"),
        ("s3", "InternalError", 503, "unavailable"),
    ],
)
def test_a_service_that_fails_says_when_to_come_back(
    ann: ApiUser, backstage: Backstage, project: str, service: str, code: str, status: int, kind: str
) -> None:
    backstage.control.add_fault(service, status=400 if code == "ThrottlingException" else 500, code=code)

    answer = ann.request("GET", f"/projects/{project}/documents")

    assert_problem(answer, status, kind)
    assert int(answer.headers["retry-after"]) > 0


def test_texts_that_comprehend_cannot_take_now_come_back_later(ann: ApiUser, backstage: Backstage) -> None:
    backstage.control.add_fault("comprehend", status=400, code="ThrottlingException")
    answer = ann.request("POST", "/sentiment", {"texts": ["Good."]})
    assert_problem(answer, 429, "too-many-requests")
    backstage.control.clear_faults()

    backstage.control.add_fault("comprehend", item_error="INTERNAL_SERVER_ERROR", contains="Bad")
    sentiments = ann.call("POST", "/sentiment", {"texts": ["A wonderful day.", "Bad luck."]})["sentiments"]

    assert sentiments[0]["label"] == "POSITIVE"
    assert (sentiments[1]["label"], sentiments[1]["error"]) == (
        None,
        "The text could not be analysed this time. Try again.",
    )
