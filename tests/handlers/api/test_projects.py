"""Projects: creating, reading, sharing, changing, archiving; who sees what."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest

from handlers.api.support import idempotency
from handlers.common.ids import new_id
from handlers.projects import projects as module
from schema.dynamodb import encode
from schema.retry import Backoff
from tests.handlers.api.harness import ANALYSE, NAMES, Api, Response, User


def names(page: dict[str, Any]) -> list[str]:
    return [project["name"] for project in page["projects"]]


def test_a_project_is_created_for_the_caller_and_read_again(ann: User) -> None:
    response = ann("projects_create", body={"name": "Contracts", "description": "All of them"})
    project = response.json
    assert response.status == 201
    assert response.headers["location"] == f"/projects/{project['project']}"
    assert response.headers["cache-control"] == "no-store"
    assert project["owner"] == project["updated_by"] == ann.sub
    assert (project["name"], project["description"], project["active"]) == ("Contracts", "All of them", True)
    assert ann.ok("project_get", project["project"]) == project
    assert ann.ok("projects_list") == {"projects": [project], "next": None}


def test_no_projects_are_an_empty_list(ann: User) -> None:
    assert ann.ok("projects_list") == {"projects": [], "next": None}


@pytest.mark.parametrize("limit", [7, 100])
def test_250_projects_come_page_by_page_newest_first(api: Api, limit: int) -> None:
    user = api.user()
    created = [user.project(name=str(number)) for number in range(250)] if limit == 7 else []
    user = user if created else api.user()
    created = created or [user.project(name=str(number)) for number in range(101)]
    found, query = [], {"limit": str(limit)}
    while True:
        page = user.ok("projects_list", query=query)
        found += [project["project"] for project in page["projects"]]
        assert 1 <= len(page["projects"]) <= limit
        if page["next"] is None:
            break
        assert len(page["projects"]) == limit
        query["cursor"] = page["next"]
    assert found == created[::-1]


def test_projects_are_seen_by_those_they_are_shared_with_and_nobody_else(api: Api, ann: User, bob: User) -> None:
    project = ann.project(shared_with=[bob.sub, bob.sub, ann.sub])
    assert ann.ok("project_get", project)["shared_with"] == [bob.sub]
    assert bob.ok("project_get", project)["owner"] == ann.sub
    assert len(bob.ok("projects_list")["projects"]) == 1
    assert ann.ok("project_change", project, body={"shared_with": []})["shared_with"] == []
    assert bob("project_get", project).status == 404
    assert bob.ok("projects_list")["projects"] == []
    assert api.item(project, f"MEMBER#{bob.sub}") is None


@pytest.mark.parametrize(
    ("script", "more", "body"),
    [
        ("project_get", 0, None),
        ("project_change", 0, {"name": "Mine now"}),
        ("project_archive", 0, None),
        ("project_leave", 0, None),
        ("documents_list", 0, None),
        ("documents_create", 0, {"name": "a.txt"}),
        ("document_delete", 1, None),
        ("jobs_list", 0, None),
        ("jobs_create", 0, ANALYSE),
        ("job_get", 1, None),
        ("job_cancel", 1, None),
        ("job_results", 1, None),
    ],
)
def test_what_is_anothers_looks_like_what_is_not_there(ann: User, bob: User, script: str, more: int, body: Any) -> None:
    project = ann.ready()
    job = ann.job(project)
    [document] = ann.ok("documents_list", project)["documents"]
    second = {"document_delete": document["document"]}.get(script, job)
    of_another = bob(script, project, *[second] * more, body=body)
    not_there = bob(script, new_id(), *[new_id()] * more, body=body)
    no_id = bob(script, "no-id", *["no-id"] * more, body=body)
    assert of_another == not_there
    assert of_another.status == no_id.status == 404
    assert of_another.json["title"] == no_id.json["title"]
    assert ann.ok("project_get", project)["active"]
    assert ann.ok("job_get", project, job)["status"] == "running"


def test_only_the_owner_changes_and_archives(ann: User, bob: User) -> None:
    project = ann.project(shared_with=[bob.sub])
    assert bob("project_change", project, body={"name": "Mine"}).problem == "not-the-owner"
    assert bob("project_archive", project).status == 403
    assert bob.ok("documents_create", project, body={"name": "a.txt"})
    assert ann.ok("project_get", project)["name"] == "Project"


def test_changes_leave_the_rest_as_it_is(ann: User) -> None:
    project = ann.project(description="Old")
    assert ann.ok("project_change", project, body={}) == ann.ok("project_get", project)
    changed = ann.ok("project_change", project, body={"name": "New"})
    assert (changed["name"], changed["description"]) == ("New", "Old")
    assert ann.ok("project_change", project, body={"description": None})["description"] is None
    assert ann.ok("project_get", project)["description"] is None


def test_a_project_is_shared_with_49_others_who_are_replaced_at_once(ann: User) -> None:
    some, others = ([str(uuid.uuid4()) for _ in range(49)] for _ in range(2))
    project = ann.project(shared_with=some)
    assert ann.ok("project_change", project, body={"shared_with": others})["shared_with"] == others
    too_many = ann("project_change", project, body={"shared_with": [*others, "one-more"]})
    assert (too_many.status, too_many.wrong) == (413, ["shared_with"])


def test_a_change_that_meets_another_one_looks_again(ann: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ann.project()
    changing = ann.api.modules["project_change"].projects
    read = changing.get

    def share_meanwhile(project_id: str, caller: str) -> Any:
        found = read(project_id, caller)
        monkeypatch.setattr(changing, "get", read)
        ann.ok("project_change", project, body={"shared_with": [bob.sub]})
        return found

    monkeypatch.setattr(changing, "get", share_meanwhile)
    changed = ann.ok("project_change", project, body={"shared_with": ["carol"], "name": "Ours"})
    assert changed["shared_with"] == ["carol"]
    assert bob("project_get", project).status == 404
    assert bob.ok("projects_list")["projects"] == []
    monkeypatch.setattr(module, "CONFLICTS", Backoff(0, 0, 0))
    assert ann("project_change", project, body={"shared_with": []}).problem == "project-changed"


def test_an_archived_project_is_only_read_until_it_is_brought_back(ann: User) -> None:
    project, other = ann.project(name="Old"), ann.project(name="Current")
    document = ann.document(project)
    assert ann("project_archive", project).status == 204
    assert ann("project_archive", project).status == 204
    assert names(ann.ok("projects_list")) == ["Current"]
    assert names(ann.ok("projects_list", query={"archived": "true"})) == ["Old"]
    assert ann.ok("project_get", project)["active"] is False
    assert len(ann.ok("documents_list", project)["documents"]) == 1
    refused = [
        ann("project_change", project, body={"name": "New"}),
        ann("documents_create", project, body={"name": "a.txt"}),
        ann("document_delete", project, document),
        ann("jobs_create", project, body=ANALYSE),
    ]
    assert {(response.status, response.problem) for response in refused} == {(409, "project-archived")}
    assert ann("project_change", project, body={"active": False}).wrong == ["active"]
    assert ann.ok("project_change", project, body={"active": True})["active"]
    assert ann.ok("documents_create", project, body={"name": "a.txt"})
    assert ann.ok("project_get", other)["active"]


@pytest.mark.parametrize("name", ["", " ", "a\n", "a\x9f", "a\u200bb", "\u202etxt.exe", "a" * 201])
def test_names_that_cannot_be_seen_are_refused(ann: User, name: str) -> None:
    project = ann.project()
    for refused in (ann("projects_create", body={"name": name}), ann("project_change", project, body={"name": name})):
        assert (refused.status, refused.wrong) == (422, ["name"])


def test_names_are_stored_composed_and_without_spaces_around(ann: User) -> None:
    project = ann.project(name=" Cre\u0301dit ")
    assert ann.ok("project_get", project)["name"] == "Cr\u00e9dit"
    assert ann.ok("project_change", project, body={"name": "e\u0301 "})["name"] == "\u00e9"


def test_projects_with_names_that_are_refused_today_are_read_and_archived(api: Api, ann: User) -> None:
    project = ann.project()
    item = api.item(project, "PROJECT")
    assert item
    api.dynamodb.put_item(TableName=NAMES["DOCUMENTS_TABLE"], Item=encode({**item, "name": "a\x9f\u200b"}))
    assert names(ann.ok("projects_list")) == ["a\x9f\u200b"]
    assert ann.ok("project_change", project, body={"description": "Old"})["name"] == "a\x9f\u200b"
    assert ann("project_archive", project).status == 204


def test_a_project_is_not_archived_while_a_job_runs(ann: User) -> None:
    project = ann.ready()
    job = ann.job(project)
    refused = ann("project_archive", project)
    assert (refused.status, refused.problem) == (409, "job-running")
    assert job in refused.json["detail"]
    ann.ok("job_cancel", project, job)
    assert ann("project_archive", project).status == 204


def test_a_repeated_creation_with_one_key_creates_one_project(ann: User) -> None:
    first = ann("projects_create", body={"name": "A"}, key="k1")
    again = ann("projects_create", body='{ "name" : "A" }', key="k1")
    other = ann("projects_create", body={"name": "B"}, key="k1")
    assert again == first
    assert (other.status, other.problem) == (409, "idempotency-key-in-use")
    assert names(ann.ok("projects_list")) == ["A"]
    assert ann("projects_create", body={"name": "B"}, key="k2").status == 201


def test_keys_are_each_users_and_each_routes_own(ann: User, bob: User) -> None:
    first = ann.ok("projects_create", body={"name": "A"}, key="same")
    assert bob.ok("projects_create", body={"name": "A"}, key="same")["owner"] == bob.sub
    project = first["project"]
    assert ann.ok("documents_create", project, body={"name": "a.txt"}, key="same")


def test_a_request_lost_half_way_is_taken_over_with_the_same_id(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "A"}
    with monkeypatch.context() as patched:
        patched.setattr(api.modules["projects_create"], "answer", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            ann("projects_create", body=body, key="lost")
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0)
    at_work = ann("projects_create", body=body, key="lost")
    assert (at_work.status, at_work.problem) == (409, "idempotency-key-in-use")
    assert 0 < int(at_work.headers["retry-after"]) <= idempotency.CLAIM_SECONDS
    later = time.time() + idempotency.CLAIM_SECONDS + 1
    monkeypatch.setattr(idempotency.time, "time", lambda: later)
    project = ann.ok("projects_create", body=body, key="lost")
    assert [found["project"] for found in ann.ok("projects_list")["projects"]] == [project["project"]]
    assert ann.ok("projects_create", body=body, key="lost") == project


def test_a_request_that_failed_goes_on_at_once_with_the_same_id(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "A"}
    with monkeypatch.context() as patched:
        patched.setattr(api.modules["projects_create"], "answer", Mock(side_effect=MemoryError))
        assert ann("projects_create", body=body, key="failed", fails=True).status == 500
    project = ann.ok("projects_create", body=body, key="failed")
    assert ann.ok("projects_list")["projects"] == [project]


def test_keys_are_forgotten_after_a_day(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ann.ok("projects_create", body={"name": "A"}, key="daily")
    later = time.time() + idempotency.KEEP_SECONDS + 1
    monkeypatch.setattr(idempotency.time, "time", lambda: later)
    assert ann.ok("projects_create", body={"name": "B"}, key="daily")["project"] != first["project"]


def test_twenty_requests_with_one_key_create_one_project(ann: User, threads: ThreadPoolExecutor) -> None:
    def create(_: int) -> Response:
        return ann("projects_create", body={"name": "A"}, key="race")

    responses = list(threads.map(create, range(20)))
    assert {(response.status, response.text) for response in responses} == {(201, responses[0].text)}
    assert len(ann.ok("projects_list")["projects"]) == 1
