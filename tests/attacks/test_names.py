"""Names that look like others, lead elsewhere, or cannot be stored: each is refused, by its field."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema.dynamodb import encode
from tests.integration.api_story import assert_problem

# A line break at the end, C1 controls, zero-width and bidirectional characters.
INVISIBLE = ["a\n", "a\x85b", "a\x9bb", "a\u200bb", "a\ufeff", "\u202ea", "a\u2066b", "\u00ad"]


@pytest.fixture(scope="module")
def project(ann: ApiUser) -> str:
    return ann.create_project("Names")


@pytest.mark.parametrize(
    "name",
    [
        *("a.md\n", "..md", ".md", ".hidden.md", " a.md", "con.md", "LPT1.txt", "a\u200b.md", "a\u202edm.txt"),
        *("a\x9fb.md", "ü" * 100 + ".md", "x" * 198 + ".md"),
    ],
)
def test_documents(ann: ApiUser, project: str, name: str) -> None:
    answer = ann.request("POST", f"/projects/{project}/documents", {"name": name})
    assert_problem(answer, 422, "invalid-fields", "name")
    assert "at most 200 bytes of UTF-8" in answer.json()["detail"]


@pytest.mark.parametrize("name", INVISIBLE)
def test_projects(ann: ApiUser, project: str, name: str) -> None:
    # Spaces around are no part of a name; a line break is no space.
    assert_problem(ann.request("POST", "/projects", {"name": name}), 422, "invalid-fields", "name")
    assert_problem(ann.request("PATCH", f"/projects/{project}", {"name": name}), 422, "invalid-fields", "name")


@pytest.mark.parametrize("user", ["bob\n", "b\u200bob", "b ob"])
def test_users_whom_a_project_is_shared_with(ann: ApiUser, project: str, user: str) -> None:
    answer = ann.request("PATCH", f"/projects/{project}", {"shared_with": [user]})
    assert answer.status_code == 422
    assert "shared_with" in answer.json()["detail"]


@pytest.mark.parametrize("name", [*(name for name in INVISIBLE if name.strip() == name), "..", ".", "a/../b"])
def test_companies_and_pages(ann: ApiUser, name: str) -> None:
    def change(**company: Any) -> Any:
        return ann.request("POST", "/companies", {"changes": [{"action": "add", **company}]})

    assert_problem(change(name=name), 422, "invalid-fields", "changes[0].name")
    assert_problem(change(name="Attacked", page=name), 422, "invalid-fields", "changes[0].page")
    assert_problem(ann.request("PUT", "/companies/Attacked", {"page": name}), 422, "invalid-fields", "page")
    assert_problem(ann.request("GET", "/companies/Attacked"), 404, "not-found")


def test_a_company_whose_name_is_refused_today_is_read_and_removed(ann: ApiUser, stack: LocalStack) -> None:
    name = "Old\u200bName\x9f"
    stack.aws.client("dynamodb").put_item(TableName=stack.outputs["companies_table"], Item=encode({"name": name}))
    path = f"/companies/{quote(name)}"
    assert ann.call("GET", path)["name"] == name
    assert_problem(ann.request("PUT", path, {"page": "Page"}), 422, "invalid-fields", "name")
    assert ann.request("DELETE", path).status_code == 204
    assert_problem(ann.request("GET", path), 404, "not-found")


@pytest.mark.parametrize("identifier", ["%0A", "..", "%00"])
def test_ids_in_paths(ann: ApiUser, project: str, identifier: str) -> None:
    assert ann.request("GET", f"/projects/{project}{identifier}").status_code == 404
