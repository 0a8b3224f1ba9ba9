"""Quotas: what one user may use, and what all together may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.common.table import Table
from handlers.projects.storage import StoredBytes
from schema.dynamodb import encode
from schema.quotas import Quotas, counts_key, held_key, jobs_key
from tests.handlers.api.harness import ANALYSE, NAMES, Api, User
from tests.handlers.api.quota_checks import Limit, assert_over, characters, item, limit, quotas_of, texts
from tests.handlers.aws_fakes import client_error

__all__ = ["limit"]


def test_characters_of_texts_are_of_one_user(api: Api, ann: User, bob: User, limit: Limit) -> None:
    limit(characters_per_day=1000)
    ann.ok("sentiment", body=texts(9))
    assert_over(ann("sentiment", body=texts(3)), 429, "characters_per_day", 100)
    assert characters(api, ann.sub) == 900
    bob.ok("sentiment", body=texts(9))


def test_a_short_text_counts_as_what_comprehend_bills(api: Api, ann: User, limit: Limit) -> None:
    limit(characters_per_day=599)
    assert_over(ann("sentiment", body={"texts": ["a", "b"]}), 429, "characters_per_day", 599)
    ann.ok("sentiment", body={"texts": ["a"]})
    assert characters(api, ann.sub) == 300


def test_a_request_over_the_whole_quota_is_refused_at_once(ann: User, limit: Limit) -> None:
    limit(characters_per_day=200)
    assert_over(ann("sentiment", body={"texts": ["a"]}), 429, "characters_per_day", 200)


def test_what_the_stack_refuses_is_not_the_users(api: Api, ann: User, limit: Limit) -> None:
    used = characters(api, "")
    limit(stack_characters_per_day=used + 400)
    ann.ok("sentiment", body=texts(3))
    assert_over(ann("sentiment", body=texts(3)), 429, "stack_characters_per_day", 100)
    assert characters(api, ann.sub) == 300
    assert characters(api, "") == used + 300


def test_a_refused_call_of_comprehend_does_not_count(
    api: Api, ann: User, limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit()

    def refuse(**_: Any) -> None:
        raise client_error("ThrottlingException", "BatchDetectSentiment")

    used = characters(api, "")
    with monkeypatch.context() as patched:
        patched.setattr(api.modules["sentiment"].comprehend, "batch_detect_sentiment", refuse)
        assert ann("sentiment", body=texts(3)).status == 429
    assert (characters(api, ann.sub), characters(api, "")) == (0, used)


def test_repeated_requests_count_once(api: Api, ann: User, limit: Limit) -> None:
    limit()
    project = ann.ready()
    for _ in range(3):
        ann.ok("sentiment", body=texts(3), key="texts")
        ann.ok("jobs_create", project, body=ANALYSE, key="job")
    assert characters(api, ann.sub) == 300 + 1000
    assert len(item(api, jobs_key(ann.sub))["members"]) == 1


def test_wrong_requests_do_not_count(api: Api, ann: User, limit: Limit) -> None:
    limit()
    assert ann("sentiment", body={"texts": ["x" * 5000, "ä" * 5000]}).status == 422
    assert ann("jobs_create", ann.project(), body=ANALYSE).status == 409
    project = ann.ready()
    ann.job(project)
    assert ann("jobs_create", project, body=ANALYSE).problem == "job-running"
    assert characters(api, ann.sub) == 1000
    assert len(item(api, jobs_key(ann.sub))["members"]) == 1


def test_active_projects_have_a_limit(ann: User, bob: User, limit: Limit) -> None:
    limit(projects=2)
    first, _ = ann.project(), ann.project(shared_with=[bob.sub])
    assert_over(ann("projects_create", body={"name": "Third"}), 409, "projects", 0)
    bob.project()
    assert ann("project_archive", first).status == 204
    assert ann("project_archive", first).status == 204  # counted once
    ann.project()
    assert_over(ann("projects_create", body={"name": "Fourth"}), 409, "projects", 0)
    assert_over(ann("project_change", first, body={"active": True, "name": "Again"}), 409, "projects", 0)
    assert ann.ok("project_get", first)["name"] != "Again"
    assert quotas_of(ann)["projects"]["used"] == 2


def test_a_restored_project_counts_once(ann: User, limit: Limit) -> None:
    limit(projects=2)
    project = ann.project()
    ann("project_archive", project)
    for _ in range(3):
        ann.ok("project_change", project, body={"active": True})
    assert quotas_of(ann)["projects"]["used"] == 1


def test_a_repeated_creation_of_a_project_counts_once(ann: User, limit: Limit) -> None:
    limit(projects=1)
    for _ in range(3):
        ann.ok("projects_create", body={"name": "Once"}, key="once")
    assert quotas_of(ann)["projects"]["used"] == 1


def test_documents_of_a_project_have_a_limit(api: Api, ann: User, limit: Limit) -> None:
    limit(documents=2)
    project = ann.project()
    first, _ = ann.document(project), ann.document(project)
    assert_over(ann("documents_create", project, body={"name": "c.txt"}), 409, "documents", 0)
    ann.document(ann.project())
    ann.ok("document_delete", project, first)
    ann.ok("documents_create", project, body={"name": "c.txt"}, key="c")
    # Its form can be asked for again, although there is no room for another document.
    ann.ok("documents_create", project, body={"name": "c.txt"}, key="c")
    assert item(api, counts_key(project))["documents"] == 2


@pytest.mark.parametrize("counted", [None, 5, 2])
def test_documents_are_counted_anew_where_the_counter_is_full_or_missing(
    api: Api, ann: User, limit: Limit, counted: int | None
) -> None:
    """A function died between the counter and the document; or the project is older than the counter."""
    limit(documents=2)
    project = ann.project()
    ann.document(project)
    key = encode(dict(zip(("pk", "sk"), counts_key(project), strict=True)))
    if counted is None:
        api.dynamodb.delete_item(TableName=NAMES["DOCUMENTS_TABLE"], Key=key)
    else:
        changed = encode({**dict(zip(("pk", "sk"), counts_key(project), strict=True)), "documents": counted})
        api.dynamodb.put_item(TableName=NAMES["DOCUMENTS_TABLE"], Item=changed)
    ann.document(project)
    assert item(api, counts_key(project))["documents"] == 2
    assert_over(ann("documents_create", project, body={"name": "c.txt"}), 409, "documents", 0)


def test_a_form_takes_what_is_left(api: Api, ann: User, limit: Limit) -> None:
    limit(stored_bytes=1000, uploaded_bytes_per_day=1500)
    stored = StoredBytes(Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"]), Quotas(stored_bytes=1000))
    project = ann.project()
    assert form_of(ann, project)["max_bytes"] == 1000
    document = arrived(api, ann, project, stored, 700)
    assert form_of(ann, project)["max_bytes"] == 300
    ann.ok("document_delete", project, document)
    assert form_of(ann, project)["max_bytes"] == 800  # of the day
    arrived(api, ann, project, stored, 800)
    assert_over(ann("documents_create", project, body={"name": "c.txt"}), 429, "uploaded_bytes_per_day", 0)


def test_stored_bytes_are_those_of_the_one_who_uploads(api: Api, ann: User, bob: User, limit: Limit) -> None:
    limit(stored_bytes=1000)
    stored = StoredBytes(Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"]), Quotas(stored_bytes=1000))
    project = ann.project(shared_with=[bob.sub])
    document = arrived(api, bob, project, stored, 1000)
    assert_over(bob("documents_create", project, body={"name": "c.txt"}), 409, "stored_bytes", 0)
    assert form_of(ann, project)["max_bytes"] == 1000
    ann.ok("document_delete", project, document)
    assert item(api, held_key(bob.sub))["bytes"] == 0


def form_of(user: User, project: str) -> dict[str, Any]:
    return user.ok("documents_create", project, body={"name": "a.txt"})["form"]


def arrived(api: Api, user: User, project: str, stored: StoredBytes, size: int) -> str:
    """Have a document whose upload was counted, twice as its event was delivered twice."""
    document = user.document(project)
    key = (f"PROJECT#{project}", f"DOCUMENT#{document}")
    assert stored.count(item(api, key), "v1", size) is None
    return document


def watched(api: Api) -> int:
    return api.dynamodb.scan(TableName=NAMES["COMPANIES_TABLE"], Select="COUNT")["Count"]


def test_companies_have_a_limit(api: Api, ann: User, limit: Limit) -> None:
    limit(companies=watched(api) + 2)
    ann.ok("company_put", "Quota 1", body={})
    ann.ok("company_put", "Quota 2", body={})
    assert_over(ann("company_put", "Quota 3", body={}), 409, "companies", 0)
    ann.ok("company_put", "Quota 2", body={"page": "Page"})
    add = {"action": "add", "name": "Quota 3"}
    assert_over(ann("companies_change", body={"changes": [add]}), 409, "companies", 0)
    swap = [{"action": "remove", "name": "Quota 1"}, add]
    assert [one["result"] for one in ann.ok("companies_change", body={"changes": swap})["results"]] == [
        "removed",
        "added",
    ]
    ann.ok("companies_change", body={"changes": [add, {"action": "put", "name": "Quota 2"}]})
    for name in ("Quota 2", "Quota 3"):
        ann.ok("company_delete", name)


def test_all_quotas_are_shown(ann: User, limit: Limit) -> None:
    limit(characters_per_day=1000)
    ann.ok("sentiment", body=texts(3))
    shown = quotas_of(ann)
    assert shown.keys() == set(Quotas.__dataclass_fields__)
    assert (shown["characters_per_day"]["used"], shown["characters_per_day"]["left"]) == (300, 700)
    assert shown["characters_per_day"]["renews_at"] > datetime.now(UTC).isoformat()
    assert (shown["companies"]["of"], shown["companies"]["used"]) == ("stack", None)
    assert shown["projects"]["renews_at"] is None
