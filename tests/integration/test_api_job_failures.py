"""Jobs over HTTP when documents are bad or AWS fails: what passes is tried again, the rest says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from tests.handlers.batch.word_documents import full_document
from tests.integration.api_story import TO_GERMAN, Backstage, assert_problem, jobs_of, processing, project_with, run

HELD = "Held until it is cancelled"
# How often an endpoint tries a call.
CALLS = 3
TRANSLATE = {"kind": "translate", "options": TO_GERMAN}
# What only the update at a job's start has in it.
STARTED = "if_not_exists(started_at"
THROTTLED = {"status": 400, "code": "ThrottlingException"}


@pytest.fixture(autouse=True)
def _without_faults(backstage: Backstage) -> Iterator[None]:
    yield
    backstage.control.clear_faults()


# Bad documents


def test_a_job_fails_when_no_document_can_be_processed(ann: ApiUser, backstage: Backstage) -> None:
    project = ann.create_project("Bad documents")
    ann.upload(project, "corrupt.docx", full_document()[:2000])
    ann.upload(project, "blank.txt", b" \n\t\n")

    job = run(ann, project)

    assert job["status"] == "failed"
    for words in ("No document could be processed", "corrupt.docx: It is corrupt", "blank.txt: It has no text"):
        assert words in job["cause"]
    assert not job["cause"].startswith("Documents:")
    # No failed execution, and so no alarm: there is nothing for an operator to do.
    assert backstage.ended("translate", job["job"])["status"] == "SUCCEEDED"
    assert backstage.processing_jobs(job["job"]) == {f"translate-{job['job']}": "Completed"}
    files = ann.results(project, job["job"])
    assert set(files) == {"report.json"}
    reasons = {one["name"].rpartition("/")[2]: one["reason"] for one in json.loads(files["report.json"])["documents"]}
    assert reasons.keys() == {"corrupt.docx", "blank.txt"}
    assert reasons["blank.txt"] == "It has no text."
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
        ("states", {"operation": "StartExecution", "times": 1, "drop": "response"}),
        ("dynamodb", {"operation": "TransactWriteItems", "contains": "RUNNING#", "times": 1, "drop": "response"}),
    ],
    ids=["quota", "throttled by SageMaker", "start not recorded", "end not recorded", "throttled by Translate",
         "Translate fails", "Step Functions fails", "start not answered", "record not answered"],
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
            "All instances of the AWS account's quota of Amazon SageMaker for ml.m5.large are in use.",
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
    backstage.control.add_fault("states", operation="StartExecution", status=400, code="ExecutionLimitExceeded")

    answer = ann.request("POST", f"/projects/{project}/jobs", TRANSLATE, key)

    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    [failed] = jobs_of(ann, project)
    assert (failed["status"], failed["cause"]) == ("failed", "The job could not be started.")
    backstage.control.clear_faults()
    again = ann.request("POST", f"/projects/{project}/jobs", TRANSLATE, key)
    assert again.status_code == 202
    assert ann.follow_job(project, again.json()["job"])["status"] == "completed"


def test_a_cancelled_job_that_could_not_be_stopped_is_stopped_by_cancelling_it_again(
    ann: ApiUser, backstage: Backstage
) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        job = processing(ann, backstage, project)
        path = f"/projects/{project}/jobs/{job}"
        backstage.control.add_fault("states", operation="StopExecution", times=CALLS, code="InternalServerError")

        assert_problem(ann.request("DELETE", path), 503, "unavailable")
        assert ann.call("GET", path)["status"] == "cancelled"
        assert backstage.processing_jobs(job) == {f"translate-{job}": "InProgress"}

        assert ann.call("DELETE", path)["status"] == "cancelled"
        assert backstage.processing_ended(job) == {f"translate-{job}": "Stopped"}
    assert backstage.execution("translate", job)["status"] == "ABORTED"
