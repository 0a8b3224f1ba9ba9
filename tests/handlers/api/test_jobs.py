"""Jobs: starting, one of a kind at a time; listing, cancelling, results; races with their state machine."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest
import urllib3
from botocore.exceptions import ClientError

from handlers.api.support import idempotency
from handlers.common.ids import new_id
from handlers.common.table import Table
from schema.projects import results_prefix
from tests.handlers.api.harness import ANALYSE, NAMES, TRANSLATE, Api, Response, User

NOW = "2026-11-21T07:00:00.123Z"
EARLIER = "2026-11-21T06:00:00.123Z"


def test_a_job_is_started_with_everything_its_state_machine_needs(api: Api, ann: User) -> None:
    project = ann.ready()
    response = ann("jobs_create", project, body=TRANSLATE)
    job = response.json
    assert response.status == 202
    assert response.headers["location"] == f"/projects/{project}/jobs/{job['job']}"
    options = {"target": "de", "source": "en", "engine": "amazon"}
    assert (job["kind"], job["status"], job["options"]) == ("translate", "running", options)
    assert job["requested_by"] == ann.sub
    assert ann.ok("job_get", project, job["job"]) == job
    execution = api.execution(job["job"], "translate")
    assert execution["status"] == "RUNNING"
    started = json.loads(execution["input"])
    assert json.loads(started.pop("environment")["JOB_OPTIONS"]) == options
    bucket = NAMES["DOCUMENTS_BUCKET"]
    assert started == {
        "project": project,
        "job": job["job"],
        "kind": "translate",
        "bucket": bucket,
        "input": f"s3://{bucket}/projects/{project}/documents/",
        "output": f"s3://{bucket}/results/{project}/{job['job']}/",
    }
    item = api.item(project, f"JOB#{job['job']}")
    assert item
    assert item["execution"] == execution["executionArn"]
    assert item["project_status"] == f"{project}#running"
    assert api.item(project, "RUNNING#translate") == {
        "pk": f"PROJECT#{project}",
        "sk": "RUNNING#translate",
        "job": job["job"],
    }


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["kind"]),
        ({"kind": "other"}, ["kind"]),
        ({"kind": "translate"}, ["options"]),
        ({"kind": "translate", "options": {}}, ["options.target"]),
        ({"kind": "translate", "options": {"target": "xx"}}, ["options.target"]),
        ({"kind": "translate", "options": {"target": "de", "source": "de"}}, ["options.target"]),
        ({"kind": "translate", "options": {"target": "de", "engine": "other"}}, ["options.engine"]),
        ({"kind": "analyse", "options": {"topics": 0}}, ["options.topics"]),
        ({"kind": "analyse", "options": {"depth": 1}}, ["options.depth"]),
        ({"kind": "analyse", "requested_by": "me"}, ["requested_by"]),
    ],
)
def test_wrong_options_are_named(ann: User, body: Any, wrong: list[str]) -> None:
    response = ann("jobs_create", ann.ready(), body=body)
    assert (response.status, response.wrong) == (422, wrong)


def test_without_uploaded_documents_no_job_starts(ann: User) -> None:
    project = ann.project()
    ann.document(project, content=None)
    response = ann("jobs_create", project, body=ANALYSE)
    assert (response.status, response.problem) == (409, "no-documents")
    assert ann.ok("jobs_list", project)["jobs"] == []


def test_twenty_starts_at_once_are_one_job_and_nineteen_rejected_ones(
    api: Api, ann: User, threads: ThreadPoolExecutor
) -> None:
    project = ann.ready()
    responses = list(threads.map(lambda _: ann("jobs_create", project, body=ANALYSE), range(20)))
    [winner] = [response.json["job"] for response in responses if response.status == 202]
    losers = [response for response in responses if response.status == 409]
    assert len(losers) == 19
    assert {response.problem for response in losers} == {"job-running"}
    assert all(winner in response.json["detail"] for response in losers)
    assert [job["job"] for job in ann.ok("jobs_list", project, query={"status": "running"})["jobs"]] == [winner]
    rejected = ann.ok("jobs_list", project, query={"status": "rejected"})["jobs"]
    assert len(rejected) == 19
    assert all(winner in job["cause"] and job["finished_at"] for job in rejected)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        api.execution(rejected[0]["job"])


def test_kinds_and_projects_run_side_by_side(ann: User) -> None:
    first, second = ann.ready(), ann.ready()
    assert ann.job(first, ANALYSE)
    assert ann.job(first, TRANSLATE)
    assert ann.job(second, ANALYSE)


def test_a_repeated_start_with_one_key_is_one_job(api: Api, ann: User, threads: ThreadPoolExecutor) -> None:
    project = ann.ready()
    first = ann("jobs_create", project, body=ANALYSE, key="k")
    again = list(threads.map(lambda _: ann("jobs_create", project, body=ANALYSE, key="k"), range(10)))
    assert all(response == first for response in again)
    rejected = ann("jobs_create", project, body=ANALYSE, key="other")
    assert rejected.status == 409
    assert ann("jobs_create", project, body=ANALYSE, key="other") == rejected
    api.state_machine(project, first.json["job"]).mark_completed(NOW)
    assert ann("jobs_create", project, body=ANALYSE, key="other") == rejected
    assert len(ann.ok("jobs_list", project)["jobs"]) == 2
    assert ann("jobs_create", project, body={"kind": "analyse", "options": {"topics": 2}}, key="k").status == 409


def test_a_start_lost_before_its_execution_began_goes_on(api: Api, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ann.ready()
    module = api.modules["jobs_create"]
    with monkeypatch.context() as patched:
        patched.setattr(module.starter._executions._stepfunctions, "start_execution", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            ann("jobs_create", project, body=ANALYSE, key="lost")
    later = time.time() + idempotency.CLAIM_SECONDS + 1
    monkeypatch.setattr(idempotency.time, "time", lambda: later)
    response = ann("jobs_create", project, body=ANALYSE, key="lost")
    assert response.status == 202
    assert api.execution(response.json["job"])["status"] == "RUNNING"
    assert len(ann.ok("jobs_list", project)["jobs"]) == 1


def test_a_project_archived_meanwhile_gets_no_job(api: Api, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ann.ready()
    starter = api.modules["jobs_create"].starter
    active = starter._projects.get(project, ann.sub)
    ann.ok("project_archive", project)
    monkeypatch.setattr(starter._projects, "get", lambda *_: active)
    assert ann("jobs_create", project, body=ANALYSE).problem == "project-archived"
    assert ann.ok("jobs_list", project)["jobs"] == []
    assert api.item(project, "RUNNING#analyse") is None


def test_jobs_are_listed_by_status_and_page_by_page(api: Api, ann: User) -> None:
    project = ann.ready()
    jobs = []
    for number in range(12):
        jobs.append(ann.job(project))
        machine = api.state_machine(project, jobs[-1])
        machine.mark_running(NOW)
        machine.mark_failed(NOW, "It broke.") if number % 3 == 0 else machine.mark_completed(NOW)
    completed = [job for number, job in enumerate(jobs) if number % 3]
    for query, expected in (({}, jobs), ({"status": "completed"}, completed)):
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while not found or cursor:
            page = ann.ok("jobs_list", project, query={**query, **cursor, "limit": "5"})
            found += page["jobs"]
            cursor = {"cursor": page["next"]} if page["next"] else {}
        assert [job["job"] for job in found] == expected[::-1]
    assert ann.ok("jobs_list", project, query={"status": "cancelled"}) == {"jobs": [], "next": None}
    assert ann.ok("job_get", project, jobs[0])["cause"] == "It broke."
    assert ann.ok("job_get", project, jobs[0])["started_at"] == "2026-11-21T07:00:00Z"


def test_latest_is_the_last_completed_job_and_never_moves_back(api: Api, ann: User) -> None:
    project = ann.ready()
    assert ann("job_get", project, "latest", query={"kind": "analyse"}).status == 404
    assert ann("job_get", project, "latest").wrong == ["kind"]
    first = ann.job(project)
    api.state_machine(project, first).mark_completed(NOW)
    second = ann.job(project)
    api.state_machine(project, second).mark_completed(NOW)
    third = ann.job(project)
    with pytest.raises(ClientError, match="TransactionCanceled"):
        api.state_machine(project, third).mark_completed(EARLIER)
    api.state_machine(project, third).mark_failed(NOW, "It broke.")
    latest = {"query": {"kind": "analyse"}}
    assert ann.ok("job_get", project, "latest", **latest)["job"] == second
    with pytest.raises(ClientError, match="TransactionCanceled"):
        api.state_machine(project, first).mark_completed(NOW)  # delivered again
    assert ann.ok("job_get", project, "latest", **latest)["job"] == second
    assert ann("job_get", project, "latest", query={"kind": "translate"}).status == 404
    assert ann("job_cancel", project, "latest").status == 404


def test_a_cancelled_job_is_stopped_and_its_kind_free(api: Api, ann: User, bob: User) -> None:
    project = ann.ready()
    ann.ok("project_change", project, body={"shared_with": [bob.sub]})
    job = ann.job(project)
    cancelled = bob.ok("job_cancel", project, job)
    assert (cancelled["status"], cancelled["cause"]) == ("cancelled", f"Cancelled by {bob.sub}.")
    assert cancelled["finished_at"]
    assert api.execution(job)["status"] == "ABORTED"
    assert ann.ok("job_cancel", project, job) == cancelled == ann.ok("job_get", project, job)
    assert ann.job(project)
    machine = api.state_machine(project, job)
    for late in (lambda: machine.mark_running(NOW), lambda: machine.mark_completed(NOW)):
        with pytest.raises(ClientError, match=r"ConditionalCheckFailed|TransactionCanceled"):
            late()
    assert api.item(project, "RUNNING#analyse")


@pytest.mark.parametrize("end", ["mark_completed", "mark_failed"])
def test_a_job_that_has_ended_cannot_be_cancelled(api: Api, ann: User, end: str) -> None:
    project = ann.ready()
    job = ann.job(project)
    getattr(api.state_machine(project, job), end)(NOW, *["It broke."] * (end == "mark_failed"))
    response = ann("job_cancel", project, job)
    assert (response.status, response.problem) == (409, "job-not-running")
    assert ann.ok("job_get", project, job)["status"] != "cancelled"


def test_a_job_that_ends_while_it_is_cancelled_ends_one_way(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ann.ready()
    job = ann.job(project)
    read = Table.get_all

    def finish_meanwhile(table: Table, keys: Any) -> Any:
        found = read(table, keys)
        monkeypatch.setattr(Table, "get_all", read)
        api.state_machine(project, job).mark_completed(NOW)
        return found

    monkeypatch.setattr(Table, "get_all", finish_meanwhile)
    assert ann("job_cancel", project, job).problem == "job-not-running"
    assert ann.ok("job_get", project, job)["status"] == "completed"


def test_cancelling_and_finishing_at_once_never_both_succeed(api: Api, ann: User, threads: ThreadPoolExecutor) -> None:
    project = ann.ready()
    for _ in range(15):
        job = ann.job(project)

        def finish(job: str = job) -> bool:
            try:
                api.state_machine(project, job).mark_completed(NOW)
            except ClientError:
                return False
            return True

        finishing = threads.submit(finish)
        cancelling = threads.submit(ann, "job_cancel", project, job)
        response: Response = cancelling.result()
        assert (response.status == 200) is not finishing.result()
        assert ann.ok("job_get", project, job)["status"] == ("cancelled" if response.status == 200 else "completed")
        assert api.item(project, "RUNNING#analyse") is None


def test_a_job_whose_execution_never_began_can_be_cancelled(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ann.ready()
    with monkeypatch.context() as patched:
        patched.setattr(api.modules["jobs_create"].starter._executions._stepfunctions, "start_execution", Mock())
        job = ann.job(project)
    assert ann.ok("job_cancel", project, job)["status"] == "cancelled"
    assert ann.job(project)


def test_results_are_links_that_need_no_token_page_by_page(api: Api, ann: User) -> None:
    project = ann.ready()
    job = ann.job(project)
    names = sorted(["report.json", "translated/Größe 1.txt", *(f"documents/{number:03}.csv" for number in range(20))])
    for name in (*names, *(f"parts/algo-{number}/report.json" for number in range(1, 12))):
        key = f"{results_prefix(project, job)}{name}"
        api.s3.put_object(Bucket=NAMES["DOCUMENTS_BUCKET"], Key=key, Body=name.encode())
    early = ann("job_results", project, job)
    assert (early.status, early.problem) == (409, "job-not-completed")
    api.state_machine(project, job).mark_completed(NOW)
    found: list[Any] = []
    query: dict[str, str] = {"limit": "10", "kind": "analyse"}
    while not found or query.get("cursor"):
        page = ann.ok("job_results", project, "latest", query=query)
        assert page["job"] == job
        assert len(page["results"]) == min(10, len(names) - len(found))
        found += page["results"]
        query["cursor"] = page["next"]
    assert [result["name"] for result in found] == names
    for result in found[-2:]:
        answer = urllib3.request("GET", result["url"])
        assert (answer.status, answer.data) == (200, result["name"].encode())
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert "X-Amz-Expires=300" in found[0]["url"]
    assert ann("job_results", project, new_id()).status == 404
    assert ann.ok("job_results", project, job)["next"] is None
