"""Forms that outlive the right to write: what they bring does not count, nor does what they bring a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from local.demo.api_client import ApiUser
from tests.integration.api_story import Backstage
from tests.integration.harness import wait_until

SECONDS = 30


@pytest.fixture(scope="module")
def bob_id(bob: ApiUser) -> str:
    return bob.call("POST", "/projects", {"name": "Bob's"})["owner"]


@pytest.fixture
def shared(ann: ApiUser, bob_id: str) -> str:
    """A project that Ann shares with Bob."""
    return ann.call("POST", "/projects", {"name": "Shared", "shared_with": [bob_id]})["project"]


def send(form: dict[str, Any], content: bytes) -> None:
    answer = httpx.post(form["url"], data=form["fields"], files={"file": ("a.txt", content)})
    assert answer.status_code == 204


def contents(backstage: Backstage, form: dict[str, Any]) -> list[str]:
    """Entity tags of all versions of a document's object, the current one first."""
    s3, bucket, key = backstage.client("s3"), backstage.stack.outputs["documents_bucket"], form["fields"]["key"]
    found = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
    return [version["ETag"] for version in sorted(found, key=lambda version: not version["IsLatest"])]


def tag(content: bytes) -> str:
    """The entity tag that S3 gives a content."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def archive(ann: ApiUser, project: str) -> None:
    ann.call("DELETE", f"/projects/{project}")


def unshare(ann: ApiUser, project: str) -> None:
    ann.call("PATCH", f"/projects/{project}", {"shared_with": []})


def leave(bob: ApiUser, project: str) -> None:
    bob.call("DELETE", f"/projects/{project}/members/me")


@pytest.mark.parametrize("revoke", [archive, unshare])
def test_a_form_is_worth_nothing_once_its_holder_may_not_write(
    ann: ApiUser, bob: ApiUser, backstage: Backstage, shared: str, revoke: Callable[[ApiUser, str], None]
) -> None:
    form = bob.call("POST", f"/projects/{shared}/documents", {"name": "late.txt"})["form"]
    revoke(ann, shared)
    send(form, b"Too late.")
    wait_until(lambda: contents(backstage, form) == [], SECONDS, "a late upload is withdrawn")
    [document] = ann.call("GET", f"/projects/{shared}/documents")["documents"]
    assert document["uploaded"] is False


def test_a_form_replaces_nothing(ann: ApiUser, bob: ApiUser, backstage: Backstage, shared: str) -> None:
    form = bob.call("POST", f"/projects/{shared}/documents", {"name": "once.txt"})["form"]
    send(form, b"First.")
    wait_until(lambda: is_settled(backstage, form), SECONDS, "the first upload counts")
    for number in range(7):
        send(form, b"Again %d." % number)
    wait_until(lambda: contents(backstage, form) == [tag(b"First.")], SECONDS, "later uploads are withdrawn")
    leave(bob, shared)
    send(form, b"Not a member.")
    wait_until(lambda: contents(backstage, form) == [tag(b"First.")], SECONDS, "an upload of a stranger is withdrawn")
    [document] = ann.call("GET", f"/projects/{shared}/documents")["documents"]
    assert document["size"] == len(b"First.")


def is_settled(backstage: Backstage, form: dict[str, Any]) -> bool:
    """Whether S3 has told of the first upload."""
    _, project, _, document, _ = form["fields"]["key"].split("/")
    item = backstage.client("dynamodb").get_item(
        TableName=backstage.stack.outputs["documents_table"],
        Key={"pk": {"S": f"PROJECT#{project}"}, "sk": {"S": f"DOCUMENT#{document}"}},
        ConsistentRead=True,
    )["Item"]
    return "version" in item
