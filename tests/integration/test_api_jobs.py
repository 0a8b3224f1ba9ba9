"""Jobs over HTTP when much happens at once, somebody changes their mind, or a start is delivered again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from tests.integration.api_story import (
    TO_GERMAN,
    Backstage,
    assert_problem,
    jobs_of,
    processing,
    project_with,
    run,
)
from tests.integration.test_embedded_aws import error_code

AT_ONCE = 20
HELD = "Held until the test lets go"
TRANSLATE = {"kind": "translate", "options": TO_GERMAN}


def start_at_once(user: ApiUser, project: str, headers: dict[str, str] | None = None) -> list[httpx.Response]:
    def start(_: int) -> httpx.Response:
        return user.request("POST", f"/projects/{project}/jobs", TRANSLATE, headers)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(start, range(AT_ONCE)))


# Many at once


def test_of_twenty_simultaneous_starts_one_wins(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        answers = start_at_once(ann, project)

        assert Counter(answer.status_code for answer in answers) == {202: 1, 409: AT_ONCE - 1}
        [winner] = [answer.json()["job"] for answer in answers if answer.status_code == 202]
        for answer in answers:
            if answer.status_code == 409:
                assert winner in assert_problem(answer, 409, "job-running")["detail"]
        jobs = jobs_of(ann, project)
        assert Counter(one["status"] for one in jobs) == {"running": 1, "rejected": AT_ONCE - 1}
        assert all(winner in one["cause"] for one in jobs if one["status"] == "rejected")
        assert backstage.lock(project, "translate") is not None
        assert backstage.executions("translate", project) == [winner]
        assert ann.call("DELETE", f"/projects/{project}/jobs/{winner}")["status"] == "cancelled"
    started = [name for one in jobs for name in backstage.processing_jobs(one["job"])]
    assert started in ([f"translate-{winner}"], []), "of one job, if it has come that far"


def test_twenty_simultaneous_starts_with_one_key_are_one_job(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        answers = start_at_once(ann, project, {"idempotency-key": new_id()})

        assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
        job = answers[0].json()["job"]
        assert [one["job"] for one in jobs_of(ann, project)] == [job]
        assert backstage.executions("translate", project) == [job]
        ann.call("DELETE", f"/projects/{project}/jobs/{job}")
    assert len(backstage.processing_jobs(job)) <= 1


# Cancelling


def test_a_job_that_runs_is_cancelled(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        job = processing(ann, backstage, project)
        path = f"/projects/{project}/jobs/{job}"

        cancelled = ann.call("DELETE", path)

        assert (cancelled["status"], bool(cancelled["finished_at"])) == ("cancelled", True)
        assert ann.call("GET", path) == cancelled
        assert ann.call("DELETE", path) == cancelled, "again"
        assert backstage.lock(project, "translate") is None
        another = ann.start_job(project, "translate", TO_GERMAN)
        assert ann.call("DELETE", path) == cancelled, "while another one runs"
        assert (backstage.lock(project, "translate") or {})["job"] == another
        ann.call("DELETE", f"/projects/{project}/jobs/{another}")
    assert backstage.processing_ended(job) == {f"translate-{job}": "Stopped"}
    assert backstage.execution("translate", job)["status"] == "ABORTED"
    assert "MarkCompleted" not in backstage.states("translate", job)
    listed = ann.call("GET", f"/projects/{project}/jobs?status=cancelled")["jobs"]
    assert [one["job"] for one in listed] == [another, job]
    assert_problem(ann.request("GET", f"{path}/results"), 409, "job-not-completed")
    assert_problem(ann.request("GET", f"/projects/{project}/jobs/latest?kind=translate"), 404, "not-found")


def test_a_job_is_cancelled_before_it_has_begun(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        job = ann.start_job(project, "translate", TO_GERMAN)
        assert ann.call("DELETE", f"/projects/{project}/jobs/{job}")["status"] == "cancelled"
        assert backstage.ended("translate", job)["status"] == "ABORTED"
        assert set(backstage.processing_ended(job).values()) <= {"Stopped"}
    assert backstage.record(project, job)["status"] == "cancelled"
    assert backstage.lock(project, "translate") is None


def test_only_a_job_that_runs_is_cancelled(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, f"{HELD} once")
    with backstage.held(HELD):
        job = processing(ann, backstage, project)
        ann.request("POST", f"/projects/{project}/jobs", TRANSLATE)
        ann.call("DELETE", f"/projects/{project}/jobs/{job}")
    assert run(ann, project)["status"] == "completed"
    before = jobs_of(ann, project)
    assert [one["status"] for one in before] == ["completed", "rejected", "cancelled"]

    for one in before[:2]:
        problem = assert_problem(
            ann.request("DELETE", f"/projects/{project}/jobs/{one['job']}"), 409, "job-not-running"
        )
        assert one["status"] in problem["detail"]

    assert jobs_of(ann, project) == before
    assert ann.results(project, before[0]["job"])


# Redelivery


def test_starting_an_execution_again_does_nothing_twice(ann: ApiUser, backstage: Backstage) -> None:
    project, machines = project_with(ann, HELD), backstage.client("stepfunctions")
    with backstage.held(HELD):
        job = processing(ann, backstage, project)
        given = backstage.execution("translate", job)["input"]
        same = {"stateMachineArn": backstage.machine("translate"), "name": job, "input": given}

        again = machines.start_execution(**same)
        other = machines.start_execution(**{**same, "name": f"again-{job}"})

        assert again["executionArn"] == backstage.execution_arn("translate", job)
        assert other["executionArn"] != again["executionArn"]
        assert backstage.ended("translate", f"again-{job}")["status"] == "SUCCEEDED"
        assert backstage.execution("translate", job)["status"] == "RUNNING"
        assert (backstage.lock(project, "translate") or {})["job"] == job
        ann.call("DELETE", f"/projects/{project}/jobs/{job}")
    assert backstage.states("translate", f"again-{job}") == ["Prepare", "MarkRunning", "NothingToDo"]
    assert list(backstage.processing_ended(job)) == [f"translate-{job}"]


@pytest.mark.parametrize("text", ["We are happy.", " "], ids=["completed", "failed"])
def test_starting_an_ended_job_again_changes_nothing(ann: ApiUser, backstage: Backstage, text: str) -> None:
    project, machines = project_with(ann, text), backstage.client("stepfunctions")
    job = run(ann, project)["job"]
    given, record = backstage.ended("translate", job)["input"], backstage.record(project, job)
    same = {"stateMachineArn": backstage.machine("translate"), "name": job, "input": given}

    assert error_code(machines.start_execution, **same)[0] == "ExecutionAlreadyExists"
    machines.start_execution(**{**same, "name": f"again-{job}"})

    assert backstage.ended("translate", f"again-{job}")["status"] == "SUCCEEDED"
    assert backstage.states("translate", f"again-{job}")[-1] == "NothingToDo"
    assert backstage.record(project, job) == record
    assert list(backstage.processing_jobs(job)) == [f"translate-{job}"]
    assert backstage.lock(project, "translate") is None
