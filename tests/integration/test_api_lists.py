"""Lists, page by page, and the parameters that say which page."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.api.support.registry import Operation
from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from tests.integration.api_story import TO_GERMAN, Backstage, assert_problem, path_of, processing, project_with
from tests.support.operations import BY_SCRIPT, PAGED

HELD = "Held so that others are rejected"


def name_of(operation: Operation) -> str:
    return operation.script


@pytest.fixture(scope="module")
def project(ann: ApiUser) -> str:
    return ann.create_project("Lists")


# Parameters


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=1&limit=2", "limit"), ("x=1", "x")],
)
@pytest.mark.parametrize("operation", PAGED, ids=name_of)
def test_wrong_parameters_are_named(ann: ApiUser, project: str, operation: Operation, query: str, field: str) -> None:
    answer = ann.request("GET", f"{path_of(operation, project)}?{query}")

    assert_problem(answer, 422, "invalid-fields", field)


@pytest.mark.parametrize(
    ("script", "query", "field"),
    [
        ("projects_list", "archived=maybe", "archived"),
        ("jobs_list", "status=done", "status"),
        ("jobs_list", "status=", "status"),
        ("job_get", "kind=summarise", "kind"),
        ("job_get", "", "kind"),
        ("job_get", "kind=translate&limit=1", "limit"),
        ("job_results", "kind=summarise", "kind"),
        ("job_results", "", "kind"),
    ],
)
def test_parameters_of_an_endpoints_own_are_named(
    ann: ApiUser, project: str, script: str, query: str, field: str
) -> None:

    answer = ann.request("GET", f"{path_of(BY_SCRIPT[script], project)}?{query}")

    assert_problem(answer, 422, "invalid-fields", field)


@pytest.mark.parametrize("cursor", ["", "x", "bm90LWpzb24", "WzEsInVua25vd24iLCIiXQ", "%00", "ü", "A" * 3000])
@pytest.mark.parametrize("operation", PAGED, ids=name_of)
def test_what_is_no_cursor_is_malformed(ann: ApiUser, project: str, operation: Operation, cursor: str) -> None:
    kind = "&kind=translate" if operation.script == "job_results" else ""

    answer = ann.request("GET", f"{path_of(operation, project)}?cursor={cursor}{kind}")

    assert_problem(answer, 400, "malformed-cursor")


# Pages


def pages(user: ApiUser, path: str, entries: str, limit: int) -> list[list[Any]]:
    """Read a list to its end, page by page."""
    found, cursor = [], ""
    while True:
        page = user.call("GET", f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor}")
        found.append(page[entries])
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def assert_paged(found: list[list[Any]], identifier: str, expected: list[str]) -> None:
    """Every page but the last is full, and together they have each entry once, in order."""
    sizes = [len(page) for page in found]
    assert len(found) == 3
    assert sizes[0] == sizes[1] == 2
    assert [entry[identifier] for page in found for entry in page] == expected


def test_projects_come_in_pages(stack: LocalStack) -> None:
    user = ApiUser(stack, f"{new_id()}@example.com")
    assert user.call("GET", "/projects") == {"projects": [], "next": None}
    made = [user.create_project(f"Project {number}") for number in range(6)]
    archived = made.pop(2)
    user.call("DELETE", f"/projects/{archived}")

    assert_paged(pages(user, "/projects", "projects", 2), "project", list(reversed(made)))
    assert [one["project"] for one in user.call("GET", "/projects?archived=true")["projects"]] == [archived]


def test_documents_come_in_pages(ann: ApiUser) -> None:
    project = ann.create_project("Pages of documents")
    path = f"/projects/{project}/documents"
    assert ann.call("GET", path) == {"documents": [], "next": None}
    made = [ann.upload(project, f"{number}.txt", b"x" * (number + 1)) for number in range(5)]

    found = pages(ann, path, "documents", 2)

    assert_paged(found, "document", list(reversed(made)))
    assert [one["size"] for page in found for one in page] == [5, 4, 3, 2, 1]


def test_jobs_and_results_come_in_pages(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD, "A second one.", "A third one.", "A fourth one.")
    path = f"/projects/{project}/jobs"
    assert ann.call("GET", path) == {"jobs": [], "next": None}
    with backstage.held(HELD):
        job = processing(ann, backstage, project)
        for _ in range(4):
            assert ann.request("POST", path, {"kind": "translate", "options": TO_GERMAN}).status_code == 409
        ann.call("DELETE", f"{path}/{job}")
    listed = [one["job"] for one in ann.call("GET", path)["jobs"]]
    assert listed == sorted(listed, reverse=True)
    assert listed[-1] == job
    assert_paged(pages(ann, path, "jobs", 2), "job", listed)
    rejected = pages(ann, f"{path}?status=rejected", "jobs", 2)
    assert [one["job"] for page in rejected for one in page] == listed[:-1]

    completed = ann.follow_job(project, ann.start_job(project, "translate", TO_GERMAN))["job"]
    names = sorted(ann.results(project, completed))
    assert_paged(pages(ann, f"{path}/{completed}/results", "results", 2), "name", names)


def test_companies_and_their_history_come_in_pages(ann: ApiUser, backstage: Backstage) -> None:
    made = [f"Paged {number}/{new_id()}" for number in range(3)]
    for name in made:
        ann.call("PUT", f"/companies/{name}", {})
    runs = [f"2026010{day}T000000Z-0123abcd" for day in range(1, 6)]
    for run in runs:
        observe(backstage, made[0], run)

    found = [one["name"] for page in pages(ann, "/companies", "companies", 1) for one in page]
    history = pages(ann, f"/companies/{made[0]}", "history", 2)

    assert sorted(name for name in found if name in made) == made
    assert len(found) == len(set(found))
    assert_paged(history, "run", list(reversed(runs)))
    for name in made:
        ann.call("DELETE", f"/companies/{name}")
        assert_problem(ann.request("GET", f"/companies/{name}"), 404, "not-found")


def observe(backstage: Backstage, company: str, run: str) -> None:
    item = {"company": company, "record": run, "run": run, "observed_at": "2026-01-01T00:00:00Z", "label": "NOT_FOUND"}
    backstage.client("dynamodb").put_item(
        TableName=backstage.stack.outputs["observations_table"],
        Item={name: {"S": value} for name, value in item.items()},
    )
