"""What is uploaded for a document that was deleted is deleted, too, and nothing else is."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any
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
    """Tells the function of objects, as S3 does."""

    def event(*keys: str) -> dict[str, Any]:
        return {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key)}}} for key in keys]}

    return lambda *keys: withdraw.handler(event(*keys), Context())


def put(api: Api, key: str) -> str:
    api.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    return key


def exists(api: Api, key: str) -> bool:
    return api.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"] == 1


def test_content_of_a_document_stays(api: Api, ann: User, deliver: Callable[..., None]) -> None:
    project = ann.project()
    key = f"projects/{project}/documents/{ann.document(project, NAME)}/{NAME}"
    deliver(key)
    assert exists(api, key)


def test_content_of_a_deleted_document_goes(api: Api, ann: User, deliver: Callable[..., None]) -> None:
    project = ann.project()
    deleted, kept = ann.document(project, NAME), ann.document(project, NAME)
    ann.ok("document_delete", project, deleted)
    late, other = (f"projects/{project}/documents/{document}/{NAME}" for document in (deleted, kept))
    put(api, late)
    for _ in range(2):  # delivered twice
        deliver(other, late)
        assert (exists(api, late), exists(api, other)) == (False, True)


@pytest.mark.parametrize(
    "key", ["projects/p/jobs/j/results/report.json", "projects/p/documents/d", "models/m/model.bin"]
)
def test_what_is_no_documents_content_stays(api: Api, deliver: Callable[..., None], key: str) -> None:
    put(api, key)
    deliver(key)
    assert exists(api, key)


def test_a_new_configurations_test_changes_nothing(withdraw: Any) -> None:
    withdraw.handler({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, Context())


def test_what_fails_is_delivered_again(
    api: Api, ann: User, withdraw: Any, deliver: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ann.project()
    document = ann.document(project)
    ann.ok("document_delete", project, document)
    key = put(api, f"projects/{project}/documents/{document}/text.txt")
    error = ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "DeleteObject")
    with monkeypatch.context() as patched:
        patched.setattr(withdraw.s3, "delete_object", Mock(side_effect=error))
        with pytest.raises(ClientError, match="SlowDown"):
            deliver(key)
    deliver(key)
    assert not exists(api, key)
