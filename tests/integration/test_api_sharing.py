"""Two users who must not see each other's work, until one shares a project with the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from handlers.api.support.registry import OPERATIONS, Operation
from local.demo.api_client import ApiUser
from tests.integration.api_story import (
    TO_GERMAN,
    Backstage,
    assert_problem,
    example,
    processing,
    project_with,
    run,
    subject,
)
from tests.support.operations import parameters, path_with

IN_PROJECTS = [operation for operation in OPERATIONS if "{project}" in operation.path]
OF_THINGS = [operation for operation in IN_PROJECTS if "{document}" in operation.path or "{job}" in operation.path]
HELD = "Held while it is shared"


@dataclass(frozen=True)
class Work:
    """Somebody's project with a document and a completed job."""

    project: str
    document: str
    job: str

    def path(self, operation: Operation) -> str:
        return path_with(operation, project=self.project, document=self.document, job=self.job)


def work_of(user: ApiUser) -> Work:
    project = user.create_project(f"Work of {user.email}")
    document = user.upload(project, "letter.txt", b"We are happy.")
    return Work(project, document, run(user, project)["job"])


@pytest.fixture(scope="module")
def work(ann: ApiUser) -> Work:
    return work_of(ann)


@pytest.fixture(scope="module")
def works_of_bob(bob: ApiUser) -> Work:
    return work_of(bob)


def state_of(user: ApiUser, work: Work) -> list[Any]:
    """All that there is to see of a project, by its owner."""
    project = f"/projects/{work.project}"
    return [
        user.call("GET", project),
        user.call("GET", f"{project}/documents"),
        user.call("GET", f"{project}/jobs"),
        user.results(work.project, work.job),
    ]


def ask(user: ApiUser, operation: Operation, path: str) -> Any:
    return user.request(operation.method, path, example(operation) if operation.request else None)


def assert_hidden(user: ApiUser, owner: ApiUser, work: Work) -> None:
    """Every endpoint says that there is no such project, and none does anything."""
    before = state_of(owner, work)
    for operation in IN_PROJECTS:
        problem = assert_problem(ask(user, operation, work.path(operation)), 404, "not-found")
        assert problem["detail"] == "There is no such project, or it is not shared with you."
        unknown = path_with(operation, document=work.document, job=work.job)
        assert ask(user, operation, unknown).json() == problem, "whether it exists is not told"
    assert work.project not in projects_of(user)
    assert state_of(owner, work) == before


def projects_of(user: ApiUser) -> list[str]:
    return [one["project"] for one in user.call("GET", "/projects?limit=100")["projects"]]


@pytest.mark.parametrize("operation", IN_PROJECTS, ids=lambda one: one.script)
def test_a_project_is_hidden_from_others(bob: ApiUser, work: Work, operation: Operation) -> None:
    assert_problem(ask(bob, operation, work.path(operation)), 404, "not-found")


def test_none_of_the_attempts_did_anything(ann: ApiUser, bob: ApiUser, work: Work) -> None:
    assert_hidden(bob, ann, work)


@pytest.mark.parametrize("operation", OF_THINGS, ids=lambda one: one.script)
def test_things_of_another_project_are_not_in_ones_own(
    ann: ApiUser, bob: ApiUser, work: Work, works_of_bob: Work, operation: Operation
) -> None:
    mixed = Work(works_of_bob.project, work.document, work.job)

    assert_problem(ask(bob, operation, mixed.path(operation)), 404, "not-found")
    assert ann.call("GET", f"/projects/{work.project}/jobs/{work.job}")["status"] == "completed"


def test_the_latest_is_of_ones_own_project(ann: ApiUser, bob: ApiUser, work: Work, works_of_bob: Work) -> None:
    for user, mine, theirs in ((ann, work, works_of_bob), (bob, works_of_bob, work)):
        assert user.call("GET", f"/projects/{mine.project}/jobs/latest?kind=translate")["job"] == mine.job
        answer = user.request("GET", f"/projects/{theirs.project}/jobs/latest/results?kind=translate")
        assert_problem(answer, 404, "not-found")


@pytest.mark.parametrize("operation", IN_PROJECTS, ids=lambda one: one.script)
@pytest.mark.parametrize("identifier", ["x", "%00", "0" * 36, "A" * 2000])
def test_what_is_no_id_is_not_there(ann: ApiUser, operation: Operation, identifier: str) -> None:
    path = path_with(operation, **dict.fromkeys(parameters(operation), identifier))

    assert_problem(ask(ann, operation, path), 404, "not-found")


def test_another_users_cursor_leads_to_ones_own_list(
    ann: ApiUser, bob: ApiUser, work: Work, works_of_bob: Work
) -> None:
    ann.create_project("A second one")
    cursor = ann.call("GET", "/projects?limit=1")["next"]

    found = bob.call("GET", f"/projects?cursor={cursor}&limit=100")["projects"]

    assert {one["owner"] for one in found} <= {subject(bob)}


def test_a_shared_project_is_worked_in_by_both_and_changed_by_its_owner(
    ann: ApiUser, bob: ApiUser, backstage: Backstage
) -> None:
    project = project_with(ann, "We are happy.")
    path = f"/projects/{project}"
    work = Work(project, ann.call("GET", f"{path}/documents")["documents"][0]["document"], run(ann, project)["job"])
    assert_hidden(bob, ann, work)

    ann.call("PATCH", path, {"shared_with": [subject(bob), subject(bob), subject(ann)]})

    shared = bob.call("GET", path)
    assert (shared["owner"], shared["shared_with"]) == (subject(ann), [subject(bob)])
    assert project in projects_of(bob)
    assert state_of(bob, work) == state_of(ann, work)
    for method, body in (("PATCH", {"name": "Taken over"}), ("PATCH", {"shared_with": []}), ("DELETE", None)):
        assert_problem(bob.request(method, path, body), 403, "not-the-owner")
    mine = bob.upload(project, "from-bob.txt", HELD.encode())
    assert {one["created_by"] for one in ann.call("GET", f"{path}/documents")["documents"]} == {
        subject(ann),
        subject(bob),
    }
    with backstage.held(HELD):
        job = processing(bob, backstage, project)
        assert_problem(ann.request("DELETE", path), 409, "job-running")
        cancelled = ann.call("DELETE", f"{path}/jobs/{job}")
    assert (cancelled["requested_by"], cancelled["cause"]) == (subject(bob), f"Cancelled by {subject(ann)}.")
    bob.call("DELETE", f"{path}/documents/{mine}")

    ann.call("PATCH", path, {"shared_with": []})

    assert_hidden(bob, ann, work)


def test_an_archived_project_is_only_read_until_it_is_brought_back(ann: ApiUser, bob: ApiUser, work: Work) -> None:
    path = f"/projects/{work.project}"
    ann.call("PATCH", path, {"shared_with": [subject(bob)]})
    before = ann.call("GET", f"{path}/documents")

    ann.call("DELETE", path)

    assert ann.request("DELETE", path).status_code == 204, "again"
    for user in (ann, bob):
        assert work.project not in projects_of(user)
        assert work.project in [one["project"] for one in user.call("GET", "/projects?archived=true")["projects"]]
        assert user.call("GET", path)["active"] is False
        assert user.call("GET", f"{path}/documents") == before
        assert user.results(work.project, work.job)
        assert_problem(user.request("POST", f"{path}/documents", {"name": "a.txt"}), 409, "project-archived")
        assert_problem(user.request("DELETE", f"{path}/documents/{work.document}"), 409, "project-archived")
        job = {"kind": "translate", "options": TO_GERMAN}
        assert_problem(user.request("POST", f"{path}/jobs", job), 409, "project-archived")
    assert_problem(ann.request("PATCH", path, {"name": "Renamed"}), 409, "project-archived")
    assert_problem(bob.request("PATCH", path, {"active": True}), 403, "not-the-owner")

    assert ann.call("PATCH", path, {"active": True, "shared_with": []})["active"] is True
    assert work.project in projects_of(ann)
    assert_hidden(bob, ann, work)
