"""Forms that upload documents and links to results: they let through what they are for, and nothing else."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import httpx
import pytest

from local.demo.api_client import ApiUser
from schema.limits import UPLOAD_BYTES
from tests.integration.api_story import TO_GERMAN, Backstage, assert_problem
from tests.integration.harness import wait_until
from tests.integration.http_calls import Answer, call
from tests.integration.test_embedded_uploads import send

FIVE_MINUTES, FIFTEEN_MINUTES = 300, 900
MEGABYTE = bytes(2**20)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
NAME = "Brief an Jürgen (für 日本).txt"


@pytest.fixture(scope="module")
def project(ann: ApiUser) -> str:
    return ann.create_project("Uploads")


@pytest.fixture
def form(ann: ApiUser, project: str) -> dict[str, Any]:
    return announced(ann, project, "letter.txt")["form"]


def announced(user: ApiUser, project: str, name: str) -> Any:
    return user.call("POST", f"/projects/{project}/documents", {"name": name})


def documents(user: ApiUser, project: str) -> dict[str, dict[str, Any]]:
    listed = user.call("GET", f"/projects/{project}/documents?limit=100")["documents"]
    return {one["document"]: one for one in listed}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("report.docx", WORD),
        ("letter.txt", "text/plain"),
        ("notes.MD", "text/markdown"),
        ("page.Html", "text/html"),
        (NAME, "text/plain"),
    ],
)
def test_a_form_uploads_its_document(ann: ApiUser, backstage: Backstage, project: str, name: str, kind: str) -> None:
    made = announced(ann, project, name)
    document = made["document"]["document"]
    assert (documents(ann, project)[document]["uploaded"], documents(ann, project)[document]["size"]) == (False, None)

    assert send(made["form"], b"content").status == 204

    found = documents(ann, project)[document]
    assert (found["name"], found["content_type"], found["uploaded"], found["size"]) == (name, kind, True, 7)
    key = f"projects/{project}/documents/{document}/{name}"
    stored = backstage.client("s3").head_object(Bucket=backstage.stack.outputs["documents_bucket"], Key=key)
    assert (stored["ContentType"], stored["ContentLength"]) == (kind, 7)


def test_a_form_is_for_one_document_of_one_type_for_a_while(
    ann: ApiUser, backstage: Backstage, form: dict[str, Any]
) -> None:
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))

    assert policy["expiration"] == form["expires_at"]
    expires = datetime.fromisoformat(form["expires_at"]).timestamp()
    claims = json.loads(base64.urlsafe_b64decode(ann.token.split(".")[1] + "=="))
    assert abs(min(claims["exp"], time.time() + FIFTEEN_MINUTES) - expires) < 60, "it ends with the token"
    limits = [one for one in policy["conditions"] if isinstance(one, list)]
    assert limits == [["content-length-range", 1, 100 * 2**20]]
    assert (form["min_bytes"], form["max_bytes"]) == (1, UPLOAD_BYTES) == (1, 100 * 2**20)
    conditions = {name: value for one in policy["conditions"] if isinstance(one, dict) for name, value in one.items()}
    assert conditions["bucket"] == backstage.stack.outputs["documents_bucket"]
    assert conditions["key"] == form["fields"]["key"]
    assert conditions["Content-Type"] == "text/plain"
    without_policy = set(form["fields"]) - {"policy", "x-amz-signature"}
    assert without_policy <= set(conditions), "each field is held to its value"


@pytest.mark.parametrize(
    ("changes", "content", "status", "code"),
    [
        ({"Content-Type": "text/html"}, b"x", 403, "AccessDenied"),
        ({"Content-Type": "application/pdf"}, b"x", 403, "AccessDenied"),
        ({}, b"", 400, "EntityTooSmall"),
        ({"acl": "public-read"}, b"x", 403, "AccessDenied"),
        ({"x-amz-storage-class": "GLACIER"}, b"x", 403, "AccessDenied"),
        ({"success_action_redirect": "https://example.com/"}, b"x", 403, "AccessDenied"),
        ({"x-amz-signature": "0" * 64}, b"x", 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_form_refuses_what_it_is_not_for(
    ann: ApiUser,
    project: str,
    form: dict[str, Any],
    changes: dict[str, str],
    content: bytes,
    status: int,
    code: str,
) -> None:
    answer = send(form, content, **changes)

    assert answer.status == status
    assert f"<Code>{code}</Code>".encode() in answer.body
    assert_nothing_arrived(ann, project, form)


def assert_nothing_arrived(user: ApiUser, project: str, form: dict[str, Any]) -> None:
    document = form["fields"]["key"].split("/")[3]
    assert documents(user, project)[document]["uploaded"] is False


def test_a_form_is_not_changed_into_another(
    ann: ApiUser, backstage: Backstage, project: str, form: dict[str, Any]
) -> None:
    another = announced(ann, project, "another.txt")["form"]
    keys = [
        another["fields"]["key"],
        form["fields"]["key"].replace("/documents/", "/jobs/"),
        "models/opus-mt-en-de/config.json",
    ]
    for key in keys:
        assert send(form, b"x", key=key).status == 403
    later = json.loads(base64.b64decode(form["fields"]["policy"])) | {"expiration": "2100-01-01T00:00:00Z"}
    assert send(form, b"x", policy=base64.b64encode(json.dumps(later).encode()).decode()).status == 403
    outputs = backstage.stack.outputs
    elsewhere = form["url"].replace(outputs["documents_bucket"], outputs["results_bucket"])
    assert elsewhere != form["url"]
    assert send({**form, "url": elsewhere}, b"x").status == 403
    assert_nothing_arrived(ann, project, form)
    assert_nothing_arrived(ann, project, another)


def test_a_form_takes_a_hundred_megabytes_and_not_a_byte_more(ann: ApiUser, project: str, form: dict[str, Any]) -> None:
    refused = stream(form, UPLOAD_BYTES + 1)
    assert refused.status_code == 400
    assert "<Code>EntityTooLarge</Code>" in refused.text
    assert_nothing_arrived(ann, project, form)

    assert stream(form, UPLOAD_BYTES).status_code == 204
    document = form["fields"]["key"].split("/")[3]
    assert documents(ann, project)[document]["size"] == UPLOAD_BYTES
    ann.call("DELETE", f"/projects/{project}/documents/{document}")


def stream(form: dict[str, Any], size: int) -> httpx.Response:
    """Send a form with a file of zeros, without holding it."""
    boundary = "a-boundary-that-is-nowhere-else"
    fields = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    ]
    head = "".join(
        [*fields, f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n']
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        for start in range(0, size, len(MEGABYTE)):
            yield MEGABYTE[: size - start]
        yield tail

    headers = {
        "content-type": f"multipart/form-data; boundary={boundary}",
        "content-length": str(len(head) + size + len(tail)),
    }
    return httpx.post(form["url"], content=body(), headers=headers, timeout=60)


@pytest.mark.parametrize(
    "name",
    [
        "letter.pdf",
        "letter",
        ".txt",
        "a/b.txt",
        "..\\b.txt",
        "a\n.txt",
        "${filename}.txt",
        "x" * 197 + ".txt",
        "",
        "ü" * 130 + ".txt",
    ],
)
def test_a_name_that_is_no_documents_gets_no_form(ann: ApiUser, project: str, name: str) -> None:
    answer = ann.request("POST", f"/projects/{project}/documents", {"name": name})

    assert_problem(answer, 422, "invalid-fields", "name")


def test_a_deleted_document_is_gone_with_its_content(ann: ApiUser, backstage: Backstage, project: str) -> None:
    document = ann.upload(project, "gone.txt", b"Gone soon.")
    path = f"/projects/{project}/documents/{document}"

    assert ann.request("DELETE", path).status_code == 204

    assert document not in documents(ann, project)
    assert_problem(ann.request("DELETE", path), 404, "not-found")
    found = backstage.client("s3").list_objects_v2(
        Bucket=backstage.stack.outputs["documents_bucket"], Prefix=f"projects/{project}/documents/{document}/"
    )
    assert found["KeyCount"] == 0


def test_a_deleted_documents_form_brings_nothing_back(ann: ApiUser, backstage: Backstage, project: str) -> None:
    made = announced(ann, project, NAME)
    document = made["document"]["document"]
    ann.call("DELETE", f"/projects/{project}/documents/{document}")

    assert send(made["form"], b"Too late.").status == 204

    s3, bucket = backstage.client("s3"), backstage.stack.outputs["documents_bucket"]
    prefix = f"projects/{project}/documents/{document}/"
    wait_until(lambda: s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"] == 0, 30, "withdrawn")
    assert "Versions" not in s3.list_object_versions(Bucket=bucket, Prefix=prefix)


def test_a_link_reads_one_result_for_a_while(ann: ApiUser) -> None:
    project = ann.create_project("Links")
    ann.upload(project, NAME, b"We are happy.")
    job = ann.start_job(project, "translate", TO_GERMAN)
    ann.follow_job(project, job)

    page = ann.call("GET", f"/projects/{project}/jobs/{job}/results")

    left = datetime.fromisoformat(page["expires_at"]) - datetime.now(UTC)
    assert 0 < FIVE_MINUTES - left.total_seconds() < 60
    links = {one["name"].rpartition("/")[2]: one["url"] for one in page["results"]}
    translated = NAME.replace(".txt", ".de.txt")
    assert set(links) == {translated, "report.json"}
    answer = call(links[translated])
    assert (answer.status, answer.body.decode()) == (200, "[de] Wé åré håppý.")
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote(translated, safe='')}"
    assert parse_qs(urlsplit(links[translated]).query)["X-Amz-Expires"] == [str(FIVE_MINUTES)]
    assert_is_for_reading_only(links[translated], links["report.json"])


def assert_is_for_reading_only(link: str, another: str) -> None:
    parts = urlsplit(link)
    refused: dict[str, Answer] = {
        "another object": call(urlunsplit(parts._replace(path=urlsplit(another).path))),
        "longer": call(link.replace(f"X-Amz-Expires={FIVE_MINUTES}", "X-Amz-Expires=86400")),
        "shown in the browser": call(link.replace("attachment", "inline")),
        "writing": call(link, method="PUT", body=b"x"),
        "deleting": call(link, method="DELETE"),
        "unsigned": call(urlunsplit(parts._replace(query=""))),
        "the whole bucket": call(urlunsplit(parts._replace(path="/".join(parts.path.split("/")[:2]), query=""))),
    }
    assert {kind: answer.status for kind, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert call(link).status == 200
