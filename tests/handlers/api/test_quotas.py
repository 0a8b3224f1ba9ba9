"""Quotas: what one user may use, what all together may, and what is free again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.common.quotas import Characters
from handlers.common.table import Table
from handlers.companies.changes import CompanyChanges
from handlers.companies.watchlist import WatchList
from handlers.projects.documents import Documents
from handlers.projects.job_slots import JobSlots
from handlers.projects.projects import Projects
from handlers.projects.quota_overview import QuotaOverview
from handlers.projects.starting import JobStarter
from handlers.projects.storage import StoredBytes
from schema.dynamodb import encode
from schema.jobs import REPORT_FILE
from schema.quotas import Quotas, counts_key, day_key, held_key, jobs_key
from tests.handlers.api.harness import ANALYSE, NAMES, TRANSLATE, Api, Response, User
from tests.handlers.aws_fakes import client_error

BUCKET = NAMES["DOCUMENTS_BUCKET"]
LONG_AGO = "2026-01-01T00:00:00Z"
MARIAN = {"kind": "translate", "options": {"target": "de", "source": "en", "engine": "marian"}}
Limit = Callable[..., None]


@pytest.fixture
def limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Gives all functions other quotas; those that are not named stay far away."""

    def apply(max_characters: int = 1000, **values: int) -> None:
        quotas = Quotas(**{"stack_running_jobs": 300, "stack_characters_per_day": 10**12, **values})
        table = Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"])
        slots = JobSlots(table, api.s3, BUCKET, quotas)
        starter = JobStarter(
            table, api.s3, api.stepfunctions, BUCKET, api.state_machines, False, max_characters, quotas
        )
        replacements: dict[tuple[str, str], Any] = {
            ("sentiment", "characters"): Characters(table, quotas),
            ("jobs_create", "starter"): starter,
            ("projects_create", "projects"): Projects(table, quotas),
            ("project_change", "projects"): Projects(table, quotas),
            ("documents_create", "documents"): Documents(table, api.s3, BUCKET, quotas),
            ("companies_change", "companies"): CompanyChanges(api.dynamodb, NAMES["COMPANIES_TABLE"], quotas.companies),
            ("company_put", "watch_list"): WatchList(api.dynamodb, NAMES["COMPANIES_TABLE"], limit=quotas.companies),
            ("quotas_get", "overview"): QuotaOverview(table, slots, quotas),
        }
        for (script, name), value in replacements.items():
            monkeypatch.setattr(api.modules[script], name, value)

    return apply


def assert_over(response: Response, status: int, quota: str, left: int) -> None:
    """Check that a refusal says which quota is used up, what is left, and when it renews."""
    problem = response.json
    assert (response.status, problem["quota"], problem["left"]) == (status, quota, left), response
    assert problem["limit"] > 0
    if status == 429:
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        assert problem["renews_at"] == tomorrow.strftime("%Y-%m-%dT%H:%M:%SZ")
        seconds = (tomorrow - datetime.now(UTC)).total_seconds()
        assert int(response.headers["retry-after"]) == pytest.approx(seconds, abs=5)
    else:
        assert "renews_at" not in problem
        assert "retry-after" not in response.headers


def item(api: Api, key: tuple[str, str]) -> dict[str, Any]:
    found = Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"]).get(key)
    return found or {}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def characters(api: Api, user: str) -> int:
    return item(api, day_key(user, today())).get("characters", 0)


def texts(number: int, **more: Any) -> dict[str, Any]:
    """Texts for which Comprehend bills so many hundreds of characters."""
    return {"texts": ["x" * 300] * (number // 3), **more}


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


def test_running_jobs_are_of_one_user_and_free_when_they_end(api: Api, ann: User, bob: User, limit: Limit) -> None:
    limit(running_jobs=2)
    project = ann.ready()
    first = ann.job(project, ANALYSE)
    ann.job(project, TRANSLATE)
    other = ann.ready()
    response = ann("jobs_create", other, body=ANALYSE)
    assert_over(response, 409, "running_jobs", 0)
    assert ann.ok("jobs_list", other)["jobs"] == []
    bob.job(bob.ready())
    api.state_machine(project, first).mark_completed(LONG_AGO)
    ann.job(other)
    assert_over(ann("jobs_create", ann.ready(), body=ANALYSE), 409, "running_jobs", 0)


def test_running_jobs_of_all_users_have_a_limit(api: Api, ann: User, bob: User, limit: Limit) -> None:
    taken = len(item(api, jobs_key("")).get("members", ()))
    limit(stack_running_jobs=taken + 1)
    project = ann.ready()
    job = ann.job(project)
    other = bob.ready()
    response = bob("jobs_create", other, body=ANALYSE)
    if response.status == 202:  # jobs of other tests had ended
        taken = len(item(api, jobs_key("")).get("members", ()))
        limit(stack_running_jobs=taken)
        other = bob.ready()
        response = bob("jobs_create", other, body=ANALYSE)
    assert_over(response, 409, "stack_running_jobs", 0)
    assert characters(api, bob.sub) <= 1000
    api.state_machine(project, job).mark_completed(LONG_AGO)
    bob.job(other)


def test_an_abandoned_job_holds_no_slot(api: Api, ann: User, limit: Limit) -> None:
    """The function that recorded it died before it started the execution."""
    limit(running_jobs=1)
    project = ann.ready()
    job = ann.job(project)
    api.stepfunctions.stop_execution(executionArn=api.item(project, f"JOB#{job}")["execution"])  # pyright: ignore[reportOptionalSubscript]
    set_attribute(api, project, job, "requested_at", LONG_AGO)
    ann.job(ann.ready())
    assert ann.ok("job_get", project, job)["status"] == "failed"


def set_attribute(api: Api, project: str, job: str, name: str, value: Any) -> None:
    Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"]).update(
        (f"PROJECT#{project}", f"JOB#{job}"), {name: value}, "attribute_exists(pk)"
    )


def test_a_job_reserves_its_limit_and_is_settled_by_its_report(api: Api, ann: User, limit: Limit) -> None:
    limit(characters_per_day=2500)
    project = ann.ready()
    job = ann.job(project, {**ANALYSE, "max_characters": 900})
    assert characters(api, ann.sub) == 900
    stack = characters(api, "")
    state_machine = api.state_machine(project, job)
    state_machine.mark_running(LONG_AGO)
    report(api, project, job, 120)
    state_machine.mark_completed(LONG_AGO)
    used = quotas_of(ann)
    assert (used["characters_per_day"]["used"], used["running_jobs"]["used"]) == (120, 0)
    assert (characters(api, ann.sub), characters(api, "")) == (120, stack - 780)
    # Settled once.
    assert quotas_of(ann)["characters_per_day"]["used"] == 120


def test_a_job_that_refused_to_send_what_it_read_costs_nothing(api: Api, ann: User, limit: Limit) -> None:
    limit()
    project = ann.ready()
    job = ann.job(project)
    state_machine = api.state_machine(project, job)
    state_machine.mark_running(LONG_AGO)
    report(api, project, job, 10_000_000, sent_characters=0)
    state_machine.mark_failed(LONG_AGO, "Too many characters.")
    assert quotas_of(ann)["characters_per_day"]["used"] == 0


def report(api: Api, project: str, job: str, characters: int, **more: int) -> None:
    totals = {"documents": 1, "characters": characters, **more}
    body = json.dumps({"job": job, "totals": totals, "documents": []})
    api.s3.put_object(Bucket=BUCKET, Key=f"results/{project}/{job}/{REPORT_FILE}", Body=body.encode())


def quotas_of(user: User) -> dict[str, dict[str, Any]]:
    return {one["quota"]: one for one in user.ok("quotas_get")["quotas"]}


def test_a_start_is_refused_until_other_jobs_are_settled(api: Api, ann: User, limit: Limit) -> None:
    limit(characters_per_day=1500)
    project = ann.ready()
    job = ann.job(project, ANALYSE)
    assert_over(ann("jobs_create", project, body=TRANSLATE), 429, "characters_per_day", 500)
    state_machine = api.state_machine(project, job)
    state_machine.mark_running(LONG_AGO)
    report(api, project, job, 10)
    state_machine.mark_failed(LONG_AGO, "It failed.")
    ann.job(project, TRANSLATE)
    assert characters(api, ann.sub) == 1010


@pytest.mark.parametrize("content", [None, b"not JSON", b'{"totals": {}}'])
def test_a_job_without_a_report_keeps_what_it_reserved(
    api: Api, ann: User, limit: Limit, content: bytes | None
) -> None:
    limit()
    project = ann.ready()
    job = ann.job(project)
    api.state_machine(project, job).mark_running(LONG_AGO)
    if content is not None:
        api.s3.put_object(Bucket=BUCKET, Key=f"results/{project}/{job}/{REPORT_FILE}", Body=content)
    ann.ok("job_cancel", project, job)
    used = quotas_of(ann)
    assert (used["characters_per_day"]["used"], used["running_jobs"]["used"]) == (1000, 0)


def test_a_job_that_never_ran_has_sent_nothing(api: Api, ann: User, limit: Limit) -> None:
    limit()
    project = ann.ready()
    ann.ok("job_cancel", project, ann.job(project))
    assert quotas_of(ann)["characters_per_day"]["used"] == 0


def test_another_days_job_gives_nothing_back_today(api: Api, ann: User, limit: Limit) -> None:
    limit()
    project = ann.ready()
    job = ann.job(project)
    set_attribute(api, project, job, "requested_at", LONG_AGO)
    ann.ok("job_cancel", project, job)
    used = quotas_of(ann)
    assert (used["characters_per_day"]["used"], used["running_jobs"]["used"]) == (1000, 0)


def test_the_bound_of_a_job_comes_from_the_sizes_of_its_documents(ann: User, limit: Limit) -> None:
    limit(max_characters=1_000_000)
    project = ann.project()
    ann.document(project, "a.txt", b"x" * 1000)
    ann.document(project, "b.html", b"x" * 500)
    most = ann.ok("jobs_create", project, body=TRANSLATE)["at_most"]
    assert most["characters"] == 1500
    assert most["dollars"] == pytest.approx(2 * 1500 * 15e-6)
    ann.document(project, "tiny.docx", b"x" * 10)
    job = ann.ok("jobs_create", project, body={**ANALYSE, "max_characters": 200_000})
    assert (job["max_characters"], job["at_most"]["characters"]) == (200_000, 200_000)
    assert job["at_most"]["dollars"] > 2 * 2000 * 1e-4


def test_a_job_without_paid_services_costs_and_reserves_nothing(api: Api, ann: User, limit: Limit) -> None:
    limit(characters_per_day=10)
    api.s3.put_object(Bucket=BUCKET, Key="models/opus-mt-en-de/config.json", Body=b"{}")
    job = ann.ok("jobs_create", ann.ready(), body=MARIAN)
    api.s3.delete_object(Bucket=BUCKET, Key="models/opus-mt-en-de/config.json")
    assert job["at_most"] == {"characters": 0, "dollars": 0.0}
    assert characters(api, ann.sub) == 0


@pytest.mark.parametrize("number", [0, 1001, -1, "5", 1.5])
def test_more_characters_than_a_job_may_send_are_refused(ann: User, limit: Limit, number: Any) -> None:
    limit(max_characters=1000)
    response = ann("jobs_create", ann.ready(), body={**ANALYSE, "max_characters": number})
    assert (response.status, response.wrong) == (422, ["max_characters"])


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
