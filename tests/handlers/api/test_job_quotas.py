"""Quotas of jobs: how many may run, what they may send, and what is free again when they end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.common.table import Table
from schema.jobs import REPORT_FILE
from schema.quotas import jobs_key
from tests.handlers.api.harness import ANALYSE, NAMES, TRANSLATE, Api, User
from tests.handlers.api.quota_checks import (
    BUCKET,
    LONG_AGO,
    MARIAN,
    Limit,
    assert_over,
    characters,
    item,
    limit,
    quotas_of,
)

__all__ = ["limit"]


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
