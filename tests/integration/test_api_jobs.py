"""Jobs over HTTP when much happens at once, somebody changes their mind, or something fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from handlers.common.ids import new_id
from local.product_api import ApiUser
from tests.handlers.batch.word_documents import full_document
from tests.integration.api_story import (
    TO_GERMAN,
    Backstage,
    assert_problem,
    processing,
    project_with,
    run,
)
from tests.integration.test_embedded_aws import error_code

AT_ONCE = 20
HELD = "Held until the test lets go"
TRANSLATE = {"kind": "translate", "options": TO_GERMAN}
# What only the update at a job's start has in it.
STARTED = "if_not_exists(started_at"
THROTTLED = {"status": 400, "code": "ThrottlingException"}


@pytest.fixture(autouse=True)
def _without_faults(backstage: Backstage) -> Iterator[None]:
    yield
    backstage.control.clear_faults()


def start_at_once(user: ApiUser, project: str, headers: dict[str, str] | None = None) -> list[httpx.Response]:
    def start(_: int) -> httpx.Response:
        return user.request("POST", f"/projects/{project}/jobs", TRANSLATE, headers)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(start, range(AT_ONCE)))


def jobs_of(user: ApiUser, project: str) -> list[dict[str, Any]]:
    return user.call("GET", f"/projects/{project}/jobs?limit=100")["jobs"]


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


# Failures


def test_a_job_fails_when_no_document_can_be_processed(ann: ApiUser, backstage: Backstage) -> None:
    project = ann.create_project("Bad documents")
    ann.upload(project, "corrupt.docx", full_document()[:2000])
    ann.upload(project, "blank.txt", b" \n\t\n")

    job = run(ann, project)

    assert job["status"] == "failed"
    for words in ("No document could be processed", "corrupt.docx: It is corrupt", "blank.txt: It has no text"):
        assert words in job["cause"]
    execution = backstage.ended("translate", job["job"])
    assert (execution["status"], execution["error"], execution["cause"]) == ("FAILED", "JobFailed", job["cause"])
    assert backstage.processing_jobs(job["job"]) == {f"translate-{job['job']}": "Failed"}
    assert backstage.lock(project, "translate") is None
    assert [one["job"] for one in ann.call("GET", f"/projects/{project}/jobs?status=failed")["jobs"]] == [job["job"]]


@pytest.mark.parametrize("kind", ["translate", "analyse"])
def test_bad_documents_are_reported_and_the_others_delivered(ann: ApiUser, kind: str) -> None:
    project = ann.create_project("Some bad documents")
    bad = {
        "corrupt.docx": (full_document()[:2000], "corrupt"),
        "renamed.docx": (b"Only text", "no Word document"),
        "blank.txt": (b"\n", "no text"),
        "binary.html": (bytes(range(256)), "not a text"),
    }
    paths = {f"{ann.upload(project, name, content)}/{name}": reason for name, (content, reason) in bad.items()}
    good = f"{ann.upload(project, 'good.md', b'# We are happy.')}/good.md"

    job = run(ann, project, kind)

    assert (job["status"], job["cause"]) == ("completed", None)
    files = ann.results(project, job["job"])
    report = httpx.Response(200, content=files["report.json"]).json()
    assert {one["name"]: one["status"] for one in report["documents"]} == {
        **dict.fromkeys(paths, "failed"),
        good: "completed",
    }
    assert all(paths[one["name"]] in one["reason"] for one in report["documents"] if one["name"] != good)
    assert (report["totals"]["completed"], report["totals"]["failed"]) == (1, len(bad))
    if kind == "translate":
        assert set(files) == {f"documents/{good.removesuffix('.md')}.de.md", "report.json"}
    else:
        assert good.encode() in files["documents.csv"]
        assert b"corrupt.docx" not in files["documents.csv"]


# Failures inside AWS


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        ("sagemaker", {"operation": "CreateProcessingJob", "status": 400, "code": "ResourceLimitExceeded", "times": 2}),
        ("sagemaker", {"operation": "CreateProcessingJob", "times": 2, **THROTTLED}),
        ("dynamodb", {"operation": "UpdateItem", "contains": STARTED, "times": 2, "code": "InternalServerError"}),
        ("dynamodb", {"operation": "TransactWriteItems", "contains": "LATEST#translate", "times": 2, **THROTTLED}),
        ("translate", {"operation": "TranslateText", "times": 3, **THROTTLED}),
        ("translate", {"operation": "TranslateText", "times": 2, "code": "InternalServerException"}),
        ("states", {"operation": "StartExecution", "times": 1, "code": "InternalServerError"}),
    ],
    ids=["quota", "throttled by SageMaker", "start not recorded", "end not recorded", "throttled by Translate",
         "Translate fails", "Step Functions fails"],
)  # fmt: skip
def test_what_fails_in_passing_is_tried_again(
    ann: ApiUser, backstage: Backstage, service: str, fault: dict[str, Any]
) -> None:
    project = project_with(ann, "We are happy.")
    backstage.control.add_fault(service, **fault)
    backstage.control.reset_requests()

    with backstage.hurried():
        job = run(ann, project)

    assert (job["status"], job["cause"]) == ("completed", None)
    assert backstage.control.requests()[service][fault["operation"]] > fault["times"]
    assert backstage.processing_jobs(job["job"]) == {f"translate-{job['job']}": "Completed"}


@pytest.mark.parametrize(
    ("service", "fault", "words"),
    [
        (
            "sagemaker",
            {"operation": "CreateProcessingJob", "status": 400, "code": "ResourceLimitExceeded"},
            "AWS has no ml.m5.large free at the moment, or the account has used up its quota. Start the job later.",
        ),
        (
            "dynamodb",
            {"operation": "UpdateItem", "contains": STARTED, "code": "InternalServerError"},
            "The job could not be recorded at its start",
        ),
        (
            "dynamodb",
            {"operation": "TransactWriteItems", "contains": "LATEST#translate", "code": "InternalServerError"},
            "The job could not be recorded at its end",
        ),
        (
            "translate",
            {"operation": "TranslateText", "status": 400, "code": "AccessDeniedException", "message": "Not allowed."},
            "0.txt: Amazon Translate refused it (AccessDeniedException): Not allowed.",
        ),
    ],
    ids=["quota", "start not recorded", "end not recorded", "Translate"],
)
def test_what_fails_for_good_fails_the_job_with_its_cause(
    ann: ApiUser, backstage: Backstage, service: str, fault: dict[str, Any], words: str
) -> None:
    project = project_with(ann, "We are happy.")
    backstage.control.add_fault(service, **fault)

    with backstage.hurried():
        job = run(ann, project)

    assert job["status"] == "failed"
    assert words in job["cause"]
    assert backstage.ended("translate", job["job"])["status"] == "FAILED"
    assert backstage.lock(project, "translate") is None
    backstage.control.clear_faults()
    assert run(ann, project)["status"] == "completed"


def test_a_job_whose_execution_cannot_be_started_has_failed_and_the_request_may_be_repeated(
    ann: ApiUser, backstage: Backstage
) -> None:
    project, key = project_with(ann, "We are happy."), {"idempotency-key": new_id()}
    backstage.control.add_fault("states", operation="StartExecution", code="InternalServerError")

    answer = ann.request("POST", f"/projects/{project}/jobs", TRANSLATE, key)

    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    [failed] = jobs_of(ann, project)
    assert (failed["status"], failed["cause"]) == ("failed", "The job could not be started.")
    backstage.control.clear_faults()
    again = ann.request("POST", f"/projects/{project}/jobs", TRANSLATE, key)
    assert again.status_code == 202
    assert ann.follow_job(project, again.json()["job"])["status"] == "completed"


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
