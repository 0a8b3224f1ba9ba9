"""Documents: announcing, uploading by form, listing, deleting."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from handlers.api.support.requests import Request
from handlers.projects.documents import form_seconds
from schema.dynamodb import encode
from schema.limits import UPLOAD_BYTES
from schema.names import CONTENT_TYPES
from tests.handlers.api.harness import NAMES, Api, User


def send(form: dict[str, Any], content: bytes, **changed: str) -> int:
    """Send a form as a browser does; returns S3's status."""
    fields: list[Any] = [*{**form["fields"], **changed}.items(), ("file", ("name", content))]
    return urllib3.request("POST", form["url"], fields=fields).status


@pytest.mark.parametrize(("ending", "content_type"), [*CONTENT_TYPES.items(), (".TXT", "text/plain")])
def test_a_document_is_announced_uploaded_and_listed(ann: User, ending: str, content_type: str) -> None:
    project = ann.project()
    response = ann("documents_create", project, body={"name": f"Größe 📄{ending}"})
    document, form = response.json["document"], response.json["form"]
    assert response.status == 201
    assert (document["content_type"], document["uploaded"], document["size"]) == (content_type, False, None)
    assert ann.ok("documents_list", project)["documents"] == [document]
    assert send(form, b"content") == 204
    assert ann.ok("documents_list", project)["documents"] == [{**document, "uploaded": True, "size": 7}]
    key = f"projects/{project}/documents/{document['document']}/Größe 📄{ending}"
    stored = ann.api.s3.get_object(Bucket=NAMES["DOCUMENTS_BUCKET"], Key=key)
    assert (stored["Body"].read(), stored["ContentType"]) == (b"content", content_type)


def test_the_form_takes_one_key_one_type_and_a_range_of_sizes_for_15_minutes(ann: User) -> None:
    answer = ann.ok("documents_create", ann.project(), body={"name": "a.txt"})
    form = answer["form"]
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert ["content-length-range", 1, UPLOAD_BYTES] in policy["conditions"]
    assert {"key": form["fields"]["key"]} in policy["conditions"]
    assert {"Content-Type": "text/plain"} in policy["conditions"]
    assert {"bucket": NAMES["DOCUMENTS_BUCKET"]} in policy["conditions"]
    expires = datetime.fromisoformat(policy["expiration"])
    assert abs(expires - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(seconds=30)
    assert abs(datetime.fromisoformat(form["expires_at"]) - expires) < timedelta(seconds=5)
    assert (form["min_bytes"], form["max_bytes"]) == (1, 100 * 1024 * 1024)
    assert send(form, b"") == 400
    assert send(form, b"x", **{"Content-Type": "application/x-msdownload"}) == 403
    assert send(form, b"x", key="projects/other/documents/1/a.txt") == 403
    assert send(form, b"x") == 204


@pytest.mark.parametrize(
    "name",
    [
        *["", ".txt", "a.exe", "a.docx.exe", "a/b.txt", "..\\a.txt", "a\x00.txt", "a\n.txt", "x" * 200 + ".txt"],
        *[
            "ä" * 130 + ".txt",
            "${filename}.txt",
            "a.TXTX",
            "a.txt ",
            "a.md\n",
            "..md",
            "a\u200bb.md",
            "CON.txt",
            None,
            5,
        ],
    ],
)
def test_names_that_no_file_should_have_are_refused(ann: User, name: Any) -> None:
    response = ann("documents_create", ann.project(), body={"name": name})
    assert (response.status, response.wrong) == (422, ["name"])


@pytest.mark.parametrize("name", ["con.txt", "a\x9fb.md", "a\u200bb.md", "..md", "ä" * 120 + ".txt"])
def test_documents_with_names_that_are_refused_today_are_listed_and_deleted(api: Api, ann: User, name: str) -> None:
    project = ann.project()
    document = ann.document(project)
    item = api.item(project, f"DOCUMENT#{document}")
    assert item
    key = f"projects/{project}/documents/{document}/{name}"
    table, former = NAMES["DOCUMENTS_TABLE"], encode({**item, "name": name, "key": key})
    api.dynamodb.put_item(TableName=table, Item=former)
    assert [one["name"] for one in ann.ok("documents_list", project)["documents"]] == [name]
    assert ann("document_delete", project, document).status == 204
    assert ann.ok("documents_list", project)["documents"] == []


def test_documents_are_paged_newest_first_with_their_sizes(ann: User) -> None:
    project = ann.project()
    created = [ann.document(project, content=b"x" * number or None) for number in range(25)]
    found, query = [], {"limit": "10"}
    while query.get("cursor") is not None or not found:
        page = ann.ok("documents_list", project, query=query)
        found += page["documents"]
        query["cursor"] = page["next"]
    assert [document["document"] for document in found] == created[::-1]
    assert [document["size"] for document in found] == [*range(24, 0, -1), None]
    assert [document["uploaded"] for document in found] == [True] * 24 + [False]


def test_sizes_are_right_where_the_bucket_holds_more_than_the_table(ann: User) -> None:
    """As it does when a form is used after its document was deleted."""
    project = ann.project()
    first, last = ann.document(project), None
    for _ in range(5):
        left_over = ann.document(project)
        key = {"pk": {"S": f"PROJECT#{project}"}, "sk": {"S": f"DOCUMENT#{left_over}"}}
        ann.api.dynamodb.delete_item(TableName=NAMES["DOCUMENTS_TABLE"], Key=key)
    last = ann.document(project, content=b"12345")
    page = ann.ok("documents_list", project)["documents"]
    assert [(document["document"], document["size"]) for document in page] == [(last, 5), (first, 10)]


def test_a_deleted_document_is_gone_with_its_content(api: Api, ann: User) -> None:
    project = ann.project()
    document = ann.document(project)
    assert ann("document_delete", project, document).status == 204
    assert ann("document_delete", project, document).status == 404
    assert ann.ok("documents_list", project)["documents"] == []
    found = api.s3.list_objects_v2(Bucket=NAMES["DOCUMENTS_BUCKET"], Prefix=f"projects/{project}/")
    assert found["KeyCount"] == 0


def test_an_announced_document_can_be_deleted(ann: User) -> None:
    project = ann.project()
    assert ann("document_delete", project, ann.document(project, content=None)).status == 204


def test_a_repeated_announcement_is_the_same_document_with_a_new_form(ann: User) -> None:
    project = ann.project()
    first = ann.ok("documents_create", project, body={"name": "a.txt"}, key="k")
    again = ann.ok("documents_create", project, body={"name": "a.txt"}, key="k")
    assert again["document"] == first["document"]
    assert send(again["form"], b"x") == 204
    assert len(ann.ok("documents_list", project)["documents"]) == 1
    other = ann("documents_create", ann.project(), body={"name": "a.txt"}, key="k")
    assert other.problem == "idempotency-key-in-use", "the path is part of the request"
    stored = json.dumps(ann.api.dynamodb.scan(TableName=NAMES["DOCUMENTS_TABLE"])["Items"])
    assert first["form"]["fields"]["x-amz-signature"] not in stored


@pytest.mark.parametrize(
    ("left", "seconds"), [(3600.0, 900), (900.0, 900), (899.5, 899), (300.0, 300), (60.0, 60), (20.0, 60), (-5.0, 60)]
)
def test_a_form_ends_with_the_token_but_gives_time_to_begin(left: float, seconds: int) -> None:
    assert form_seconds(left) == seconds


@pytest.mark.parametrize(
    ("claims", "left"), [({"exp": "1300"}, 300), ({"exp": 1300}, 300), ({}, math.inf), ({"exp": "soon"}, 0)]
)
def test_a_token_tells_how_long_it_is_valid(claims: dict[str, Any], left: float) -> None:
    request = Request({"requestContext": {"authorizer": {"jwt": {"claims": claims}}}})
    assert request.token_seconds(1000.0) == left
