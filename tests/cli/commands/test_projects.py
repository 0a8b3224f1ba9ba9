"""`nlp projects`: naming, listing, changing and sharing them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cli.api.project_names
from tests.support.cli_api import (
    ANOTHER,
    DROPPED,
    PROJECT,
    YOU,
    Answer,
    ApiServer,
    Request,
    answer,
    page,
    problem,
    project,
    running_api,
)

SECOND = PROJECT[:-1] + "1"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(cli.api.project_names, "LOOK_AGAIN_S", 0.01)
    with running_api(tmp_path) as server:
        yield server


def listed(*active: Any, archived: tuple[Any, ...] = ()) -> Any:
    """Answers the list of projects, active or archived."""

    def answer_to(request: Request) -> Answer:
        return page("projects", *(archived if request.query.get("archived") == "true" else active))

    return answer_to


def test_list(api: ApiServer) -> None:
    other = project(project=SECOND, name="Of\nanother", owner=ANOTHER, shared_with=[YOU])
    api.on("GET", "/projects", page("projects", project(), following="more"), page("projects", other))
    heading, first, second = api.invoke("projects", "list").stdout.splitlines()
    assert heading.split() == ["project", "owner", "shared", "created", "name"]
    assert first.split()[:2] == [PROJECT, "you"]
    assert second.split()[:3] == [SECOND, "another", "1"]
    assert second.endswith(r"Of\nanother")

    api.on("GET", "/projects", page("projects", project(), other, following="more"), page("projects", other))
    assert [one["project"] for one in api.json("projects", "list", "--limit", "1")] == [PROJECT]
    assert len(api.received("GET", "/projects")) == 3


def test_an_empty_list(api: ApiServer) -> None:
    api.on("GET", "/projects", page("projects"))
    assert "nlp projects create" in api.invoke("projects", "list").stderr
    assert "No archived projects" in api.invoke("projects", "list", "--archived").stderr
    assert api.requests[-1].query["archived"] == "true"
    assert api.json("projects", "list") == []


def test_ids_are_never_cut(api: ApiServer) -> None:
    api.on("GET", "/projects", page("projects", project(name="A very long name " * 5)))
    terminal = {"FORCE_COLOR": "1", "COLUMNS": "72", "TERM": "xterm", "NO_COLOR": "1"}
    (_, row) = api.invoke("projects", "list", env=terminal, color=True).stdout.splitlines()
    assert PROJECT in row
    assert row.endswith("…")
    assert len(row) <= 72


def test_create_has_a_key_of_its_own(api: ApiServer) -> None:
    api.on("POST", "/projects", answer(project(), 201))
    result = api.invoke("projects", "create", "Contracts", "--description", "In German")
    assert PROJECT in result.stdout
    api.invoke("projects", "create", "Contracts")
    first, second = api.requests
    assert first.json == {"name": "Contracts", "description": "In German"}
    assert second.json == {"name": "Contracts"}
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_a_wrong_name_is_told(api: ApiServer) -> None:
    wrong = [{"field": "name", "expected": "1 to 200 characters"}]
    api.on("POST", "/projects", problem("invalid-fields", 422, errors=wrong))
    assert "name: 1 to 200 characters" in api.invoke("projects", "create", "", code=1).stderr


@pytest.mark.parametrize("wanted", [PROJECT, PROJECT.upper(), "Contracts", "contracts"])
def test_a_project_is_named_by_id_or_name(api: ApiServer, wanted: str) -> None:
    others = project(project=SECOND, name="CONTRACTS OLD")
    api.on("GET", "/projects", listed(others, project()))
    api.on("GET", f"/projects/{PROJECT}", answer(project()))
    assert api.json("projects", "show", wanted)["project"] == PROJECT


def test_an_exact_name_comes_first_and_archived_ones_last(api: ApiServer) -> None:
    archived = project(project=SECOND, name="contracts", active=False)
    api.on("GET", "/projects", listed(project(), archived=(archived,)))
    assert api.json("projects", "show", "contracts")["project"] == PROJECT
    api.on("GET", "/projects", listed(project(), {**archived, "active": True}))
    assert api.json("projects", "show", "contracts")["project"] == SECOND
    api.on("GET", "/projects", listed(archived=(archived,)))
    assert "archived" in api.invoke("projects", "show", "contracts").stdout


def test_a_name_that_several_have(api: ApiServer) -> None:
    api.on("GET", "/projects", listed(project(), project(project=SECOND)))
    error = api.invoke("projects", "show", "Contracts", code=1).stderr
    assert PROJECT in error
    assert SECOND in error


def test_a_name_that_none_has(api: ApiServer) -> None:
    api.on("GET", "/projects", listed(project()))
    error = api.invoke("projects", "show", "Contarcts", code=1).stderr
    assert "no project 'Contarcts' (did you mean 'Contracts'?)" in error


def test_a_project_that_was_just_created_is_waited_for(api: ApiServer) -> None:
    api.on("GET", "/projects", page("projects"), page("projects"), page("projects", project()))
    assert api.json("projects", "show", "Contracts")["project"] == PROJECT


def test_show(api: ApiServer) -> None:
    api.on("GET", f"/projects/{PROJECT}", answer(project(shared_with=[ANOTHER], description="a\x1b[31mb")))
    shown = dict(
        re.split("  +", line, maxsplit=1) for line in api.invoke("projects", "show", PROJECT).stdout.splitlines()
    )
    assert shown["owner"] == f"{YOU} (you)"
    assert shown["shared with"] == ANOTHER
    assert shown["description"] == r"a\x1b[31mb"


def test_change(api: ApiServer) -> None:
    api.on("PATCH", f"/projects/{PROJECT}", answer(project()))
    api.invoke("projects", "change", PROJECT, "--name", "New", "--description", "", "--restore")
    api.invoke("projects", "change", PROJECT, "--description", "More")
    assert [request.json for request in api.requests] == [
        {"name": "New", "description": None, "active": True},
        {"description": "More"},
    ]
    assert "--name" in api.invoke("projects", "change", PROJECT, code=2).stderr
    api.on("PATCH", f"/projects/{PROJECT}", problem("not-the-owner", 403, "Only its owner may."))
    assert "Only its owner may." in api.invoke("projects", "change", PROJECT, "--restore", code=1).stderr


def test_share(api: ApiServer) -> None:
    api.on("GET", f"/projects/{PROJECT}", answer(project(shared_with=["a"])))
    api.on("PATCH", f"/projects/{PROJECT}", answer(project(shared_with=["a", ANOTHER])))
    assert "shared with 2 users" in api.invoke("projects", "share", PROJECT, ANOTHER, "a").stdout
    api.invoke("projects", "share", PROJECT, "--remove", "a")
    api.invoke("projects", "share", PROJECT, "a")  # nothing to change
    changes = [request.json for request in api.received("PATCH", f"/projects/{PROJECT}")]
    assert changes == [{"shared_with": ["a", ANOTHER]}, {"shared_with": []}]


def test_share_with_an_address(api: ApiServer) -> None:
    user = {"Username": ANOTHER, "UserStatus": "CONFIRMED", "UserCreateDate": 0, "Attributes": []}
    attributes = [{"Name": "sub", "Value": ANOTHER}, {"Name": "email", "Value": "ann@example.com"}]
    api.on("POST", "/", answer({"Users": [{**user, "Attributes": attributes}]}), answer({"Users": []}))
    api.on("GET", f"/projects/{PROJECT}", answer(project()))
    api.on("PATCH", f"/projects/{PROJECT}", answer(project(shared_with=[ANOTHER])))
    api.invoke("projects", "share", PROJECT, "ann@example.com")
    assert api.requests[0].json["Filter"] == 'email = "ann@example.com"'
    assert api.requests[-1].json == {"shared_with": [ANOTHER]}
    error = api.invoke("projects", "share", PROJECT, "bob@example.com", code=1).stderr
    assert "nlp users add bob@example.com" in error


def test_archive(api: ApiServer) -> None:
    api.on("GET", f"/projects/{PROJECT}", answer(project()))
    api.on("DELETE", f"/projects/{PROJECT}", Answer(204), problem("job-running", 409, "Cancel this job: x."))
    result = api.invoke("projects", "archive", PROJECT)
    assert result.stdout == "Archived Contracts.\n"
    assert "--restore" in result.stderr
    assert "Cancel this job: x." in api.invoke("projects", "archive", PROJECT, code=1).stderr


def test_leave(api: ApiServer) -> None:
    api.on("GET", f"/projects/{PROJECT}", answer(project(owner=ANOTHER, shared_with=[YOU])))
    api.on("DELETE", f"/projects/{PROJECT}/members/me", Answer(204))
    assert api.invoke("projects", "leave", PROJECT).stdout == "Left Contracts.\n"
    assert api.json("projects", "leave", PROJECT) == {"project": PROJECT, "left": True}


def test_leave_when_the_answer_was_lost(api: ApiServer) -> None:
    api.on("GET", f"/projects/{PROJECT}", answer(project(owner=ANOTHER, shared_with=[YOU])))
    api.on("DELETE", f"/projects/{PROJECT}/members/me", DROPPED, problem("not-found", 404))
    assert api.invoke("projects", "leave", PROJECT).stdout == "Left Contracts.\n"


def test_leave_what_is_your_own(api: ApiServer) -> None:
    api.on("GET", f"/projects/{PROJECT}", answer(project()))
    api.on("DELETE", f"/projects/{PROJECT}/members/me", problem("owner-cannot-leave", 409))
    result = api.invoke("projects", "leave", PROJECT, code=1)
    assert "Owner cannot leave" in result.stderr
