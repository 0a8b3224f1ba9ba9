"""Members of projects: their lists, leaving, and how many projects others share with a user."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from schema.dynamodb import encode
from tests.handlers.api.harness import NAMES, Api, User


def test_pages_are_full_and_cost_the_same_however_many_projects_are_archived(ann: User) -> None:
    kept = [ann.project(name="kept")]
    archived = [ann.project() for _ in range(12)]
    for project in archived:
        ann("project_archive", project)
    kept.append(ann.project(name="kept"))
    with calls_of(ann.api.modules["projects_list"].lists) as calls:
        page = ann.ok("projects_list", query={"limit": "2"})
    assert [project["project"] for project in page["projects"]] == kept[::-1]
    assert page["next"] is None
    assert sorted(calls) == ["BatchGetItem", "Query", "Query"]
    found = ann.ok("projects_list", query={"archived": "true"})
    assert [project["project"] for project in found["projects"]] == archived[::-1]


@contextmanager
def calls_of(owner: Any) -> Iterator[list[str]]:
    """The operations of DynamoDB that are called meanwhile through the table of an object."""
    calls: list[str] = []
    events = owner._table._dynamodb.meta.events
    note = events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name), unique_id="calls_of")
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", note, unique_id="calls_of")


def formerly(api: Api, project: str, user: User) -> None:
    """Store a member as version 0.1.0 did."""
    key = {"pk": f"PROJECT#{project}", "sk": f"MEMBER#{user.sub}"}
    item = {**key, "user": user.sub, "project": project, "role": "owner"}
    api.dynamodb.put_item(TableName=NAMES["DOCUMENTS_TABLE"], Item=encode(item))


def test_projects_of_version_0_1_0_are_listed_with_newer_ones(api: Api, ann: User) -> None:
    made = [ann.project(name=str(number)) for number in range(7)]
    for project in made[3:5]:
        ann("project_archive", project)
    for project in made[::2]:
        formerly(api, project, ann)
    active, archived = [*made[:3], *made[5:]], made[3:5]
    for limit in (1, 2, 100):
        assert walk(ann, limit) == active[::-1]
        assert walk(ann, limit, archived="true") == archived[::-1]
    # Archived and brought back, they are stored as newer ones are.
    ann("project_archive", made[0])
    ann.ok("project_change", made[0], body={"active": True})
    member = api.item(made[0], f"MEMBER#{ann.sub}")
    assert member
    assert "user" not in member
    assert walk(ann, 2) == active[::-1]


def walk(user: User, limit: int, **query: str) -> list[str]:
    """Read a list of projects to its end."""
    found: list[str] = []
    while True:
        page = user.ok("projects_list", query={"limit": str(limit), **query})
        assert len(page["projects"]) <= limit
        found += [project["project"] for project in page["projects"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def test_a_page_with_nothing_to_show_leads_on(api: Api, ann: User) -> None:
    kept = ann.project()
    for project in [ann.project() for _ in range(4)]:
        ann("project_archive", project)
        formerly(api, project, ann)
    page = ann.ok("projects_list", query={"limit": "3"})
    assert page["projects"] == []
    assert page["next"]
    assert walk(ann, 3) == [kept]


def test_members_leave_and_owners_do_not(api: Api, ann: User, bob: User) -> None:
    project, other = ann.project(shared_with=[bob.sub, "carol"]), ann.project(shared_with=[bob.sub])
    assert bob("project_leave", project).status == 204
    assert ann.ok("project_get", project)["shared_with"] == ["carol"]
    assert ann.ok("project_get", project)["updated_by"] == bob.sub
    assert bob("project_leave", project).status == bob("project_get", project).status == 404
    assert walk(bob, 2) == [other]
    assert api.item(project, f"MEMBER#{bob.sub}") is None
    refused = ann("project_leave", project)
    assert (refused.status, refused.problem) == (409, "owner-cannot-leave")
    assert ann("project_archive", other).status == bob("project_leave", other).status == 204
    assert bob.ok("projects_list", query={"archived": "true"})["projects"] == []


def test_others_share_only_so_many_projects_with_a_user(
    api: Api, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.projects.members.SHARED_PROJECTS", 2)
    first, second = (ann.project(shared_with=[bob.sub]) for _ in range(2))
    mine = bob.project()  # one's own do not count
    carol = str(uuid.uuid4())
    body = {"name": "Third", "shared_with": [carol, bob.sub]}
    for refused in (
        ann("projects_create", body=body),
        ann("project_change", ann.project(), body={"shared_with": [carol, bob.sub]}),
    ):
        assert (refused.status, refused.problem, refused.wrong) == (409, "too-many-shares", ["shared_with"])
        assert bob.sub in refused.json["detail"]
        assert carol not in refused.json["detail"]
    assert walk(bob, 9) == [mine, second, first]
    assert bob("project_leave", first).status == 204
    third = ann.ok("projects_create", body=body)["project"]
    ann.ok("project_change", second, body={"shared_with": []})
    ann.ok("project_change", first, body={"shared_with": [bob.sub]})
    assert walk(bob, 9) == [third, mine, first]


def test_nobody_is_shared_with_when_one_change_is_refused(
    ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.projects.members.SHARED_PROJECTS", 1)
    project = ann.project(name="Old")
    ann.project(shared_with=[bob.sub])
    assert ann("project_change", project, body={"shared_with": ["carol", bob.sub]}).status == 409
    assert ann.ok("project_get", project)["shared_with"] == []
