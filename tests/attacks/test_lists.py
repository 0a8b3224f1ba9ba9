"""Lists that others fill: a page costs the same, however many projects another user shares, archived or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema import projects
from schema.dynamodb import encode
from tests.integration.api_story import assert_problem

# Calls of DynamoDB for a page of projects.
CALLS_OF_A_PAGE = {"Query": 2, "BatchGetItem": 1}
_WRITE_BATCH = 25


@contextmanager
def dynamodb_calls(stack: LocalStack) -> Iterator[dict[str, int]]:
    """Count the calls of DynamoDB that read lists, by operation."""
    stack.aws.control.reset_requests()
    calls: dict[str, int] = {}
    yield calls
    made = stack.aws.control.requests().get("dynamodb", {})
    calls.update({operation: count for operation, count in made.items() if operation in CALLS_OF_A_PAGE})


class Crowd:
    """Projects that are written to the table as the API writes them, or as version 0.1.0 did."""

    def __init__(self, stack: LocalStack) -> None:
        self._dynamodb = stack.aws.client("dynamodb")
        self._table = stack.outputs["documents_table"]

    def make(self, count: int, owner: str, member: str, active: bool, formerly: bool = False) -> list[str]:
        """Make projects of an owner that are shared with a member; returns their ids, the oldest first."""
        made = [new_id() for _ in range(count)]
        items = [item for project in made for item in self._items(project, owner, member, active, formerly)]
        for start in range(0, len(items), _WRITE_BATCH):
            puts = [{"PutRequest": {"Item": encode(item)}} for item in items[start : start + _WRITE_BATCH]]
            self._dynamodb.batch_write_item(RequestItems={self._table: puts})
        return made

    def _items(self, project: str, owner: str, member: str, active: bool, formerly: bool) -> list[dict[str, Any]]:
        times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "updated_by": owner}
        others = [member] if member != owner else []
        about = {"project": project, "name": "Crowd", "owner": owner, "shared_with": others, "active": active}
        partition, sort = projects.project_key(project)
        listed = {"user": member} if formerly else {"membership": projects.membership(member, active)}
        return [
            {"pk": partition, "sk": sort, **about, **times},
            {"pk": partition, "sk": f"MEMBER#{member}", "project": project, "role": "member", **listed},
        ]


@pytest.fixture
def victim(stack: LocalStack) -> ApiUser:
    """Somebody with an empty list."""
    return ApiUser(stack, f"{new_id()}@example.com")


@pytest.fixture
def crowd(stack: LocalStack) -> Crowd:
    return Crowd(stack)


def user_id(user: ApiUser) -> str:
    project = user.create_project("Mine")
    return user.call("GET", f"/projects/{project}")["owner"]


def walk(stack: LocalStack, user: ApiUser, limit: int, archived: str = "false") -> list[str]:
    """Read a list of projects to its end, page by page, each with the same number of calls."""
    found, cursor = [], ""
    while True:
        with dynamodb_calls(stack) as calls:
            page = user.call("GET", f"/projects?archived={archived}&limit={limit}{cursor}")
        assert calls == CALLS_OF_A_PAGE
        found += [project["project"] for project in page["projects"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def test_1000_archived_shares_do_not_hide_ones_own_projects(stack: LocalStack, victim: ApiUser, crowd: Crowd) -> None:
    victim_id = user_id(victim)
    crowd.make(1000, "attacker", victim_id, active=False)
    with dynamodb_calls(stack) as calls:
        page = victim.call("GET", "/projects?limit=100")
    assert calls == CALLS_OF_A_PAGE
    assert [project["name"] for project in page["projects"]] == ["Mine"]
    assert page["next"] is None


@pytest.mark.parametrize("formerly", [False, True])
def test_50_active_and_300_archived_projects_are_listed(
    stack: LocalStack, victim: ApiUser, crowd: Crowd, formerly: bool
) -> None:
    """Those of version 0.1.0 too, whose index has no state: their pages are short, and lead on."""
    victim_id = user_id(victim)
    [mine] = walk(stack, victim, 100)
    active = crowd.make(50, victim_id, victim_id, active=True, formerly=formerly)
    archived = crowd.make(300, victim_id, victim_id, active=False, formerly=formerly)
    assert walk(stack, victim, 50) == [*active[::-1], mine]
    assert walk(stack, victim, 100, archived="true") == archived[::-1]
    if not formerly:
        assert len(victim.call("GET", "/projects?limit=50")["projects"]) == 50


def test_members_leave_what_was_shared_with_them(ann: ApiUser, bob: ApiUser) -> None:
    shared = ann.call("POST", "/projects", {"name": "Unwanted", "shared_with": [user_id(bob)]})["project"]
    assert bob.request("DELETE", f"/projects/{shared}/members/me").status_code == 204
    assert_problem(bob.request("GET", f"/projects/{shared}"), 404, "not-found")
    assert_problem(bob.request("DELETE", f"/projects/{shared}/members/me"), 404, "not-found")
    assert_problem(ann.request("DELETE", f"/projects/{shared}/members/me"), 409, "owner-cannot-leave")
    assert ann.call("GET", f"/projects/{shared}")["shared_with"] == []
    assert shared not in [one["project"] for one in bob.call("GET", "/projects?limit=100")["projects"]]
    ann.call("DELETE", f"/projects/{shared}")
