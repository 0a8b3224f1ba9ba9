"""Uploads that do not count are deleted, and nothing else is."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest.mock import Mock, patch
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError

from tests.handlers.api.harness import NAMES, REGION, Api, Context, User

BUCKET = NAMES["DOCUMENTS_BUCKET"]
NAME = "Größe + Maß (1).txt"


@pytest.fixture(scope="module")
def withdraw(api: Api) -> Any:
    """The function's module."""
    environment = {
        "DOCUMENTS_TABLE": NAMES["DOCUMENTS_TABLE"],
        "AWS_ENDPOINT_URL": api.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with patch.dict("os.environ", environment):
        return importlib.import_module("handlers.uploads.withdraw")


@pytest.fixture
def deliver(withdraw: Any) -> Callable[..., None]:
    """Tells the function of uploads, as S3 does."""

    def record(upload: Upload) -> dict[str, Any]:
        uploaded = {"key": quote_plus(upload.key), "versionId": upload.version}
        return {"s3": {"bucket": {"name": BUCKET}, "object": uploaded}}

    return lambda *uploads: withdraw.handler({"Records": [record(upload) for upload in uploads]}, Context())


class Upload(NamedTuple):
    """What S3 tells of an upload."""

    key: str
    version: str


def put(api: Api, key: str, content: bytes = b"x") -> Upload:
    return Upload(key, api.s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"])


def upload(api: Api, project: str, document: str, content: bytes = b"x") -> Upload:
    """Send a document's form."""
    return put(api, f"projects/{project}/documents/{document}/{NAME}", content)


def exists(api: Api, upload: Upload) -> bool:
    return api.s3.list_objects_v2(Bucket=BUCKET, Prefix=upload.key)["KeyCount"] == 1


def content(api: Api, upload: Upload) -> bytes:
    return api.s3.get_object(Bucket=BUCKET, Key=upload.key)["Body"].read()


def test_content_of_a_document_stays(api: Api, ann: User, deliver: Callable[..., None]) -> None:
    project = ann.project()
    uploaded = upload(api, project, ann.document(project, NAME, None))
    for _ in range(2):  # delivered twice
        deliver(uploaded)
        assert exists(api, uploaded)


def test_content_of_a_deleted_document_goes(api: Api, ann: User, deliver: Callable[..., None]) -> None:
    project = ann.project()
    deleted, kept = (ann.document(project, NAME, None) for _ in range(2))
    ann.ok("document_delete", project, deleted)
    late, other = (upload(api, project, document) for document in (deleted, kept))
    for _ in range(2):  # delivered twice
        deliver(other, late)
        assert (exists(api, late), exists(api, other)) == (False, True)
    found = api.s3.list_object_versions(Bucket=BUCKET, Prefix=late.key)
    assert "Versions" not in found


def archive(ann: User, project: str) -> None:
    assert ann("project_archive", project).status == 204


def unshare(ann: User, project: str) -> None:
    ann.ok("project_change", project, body={"shared_with": []})


@pytest.mark.parametrize("revoke", [archive, unshare])
def test_an_upload_counts_only_while_its_creator_may_write(
    api: Api, ann: User, bob: User, deliver: Callable[..., None], revoke: Callable[[User, str], None]
) -> None:
    project = ann.project(shared_with=[bob.sub])
    document = bob.document(project, NAME, None)
    revoke(ann, project)
    late = upload(api, project, document)
    deliver(late)
    assert not exists(api, late)
    # Allowed again, the same form can still be sent.
    ann.ok("project_change", project, body={"active": True, "shared_with": [bob.sub]})
    again = upload(api, project, document, b"again")
    deliver(again, late)
    assert content(api, again) == b"again"


def test_a_form_that_is_sent_again_does_not_replace_what_counts(
    api: Api, ann: User, bob: User, deliver: Callable[..., None]
) -> None:
    project = ann.project(shared_with=[bob.sub])
    document = bob.document(project, NAME, None)
    first = upload(api, project, document, b"first")
    deliver(first)
    for number in range(2):
        deliver(upload(api, project, document, b"again %d" % number))
        assert content(api, first) == b"first"
    unshare(ann, project)
    deliver(upload(api, project, document, b"after that"))
    assert content(api, first) == b"first"
    [version] = api.s3.list_object_versions(Bucket=BUCKET, Prefix=first.key)["Versions"]
    assert (version["VersionId"], version["IsLatest"]) == (first.version, True)


def test_of_two_uploads_that_are_told_out_of_order_one_counts(
    api: Api, ann: User, deliver: Callable[..., None]
) -> None:
    project = ann.project()
    document = ann.document(project, NAME, None)
    first, second = upload(api, project, document, b"first"), upload(api, project, document, b"second")
    deliver(second, first, second)
    assert content(api, second) == b"second"


@pytest.mark.parametrize(
    "key", ["projects/p/jobs/j/results/report.json", "results/p/j/report.json", "projects/p/documents/d", "models/m/a"]
)
def test_what_is_no_documents_content_stays(api: Api, deliver: Callable[..., None], key: str) -> None:
    uploaded = put(api, key)
    deliver(uploaded)
    assert exists(api, uploaded)


def test_a_new_configurations_test_changes_nothing(withdraw: Any) -> None:
    withdraw.handler({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, Context())


def test_what_fails_is_delivered_again(
    api: Api, ann: User, withdraw: Any, deliver: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ann.project()
    document = ann.document(project, NAME, None)
    ann.ok("document_delete", project, document)
    late = upload(api, project, document)
    error = ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "DeleteObject")
    with monkeypatch.context() as patched:
        patched.setattr(withdraw.s3, "delete_object", Mock(side_effect=error))
        with pytest.raises(ClientError, match="SlowDown"):
            deliver(late)
    deliver(late)
    assert not exists(api, late)
