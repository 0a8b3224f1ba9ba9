"""Answers that are lost after a call took effect: nothing is called failed that happens, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from tests.integration.api_story import TO_GERMAN, Backstage, assert_problem, jobs_of, processing, project_with

# How often an endpoint tries a call.
CALLS = 3
TRANSLATE = {"kind": "translate", "options": TO_GERMAN}
HELD = "Held until the test has looked"


@pytest.fixture(autouse=True)
def _without_faults(backstage: Backstage) -> Iterator[None]:
    yield
    backstage.control.clear_faults()


def lose(backstage: Backstage, service: str, operation: str, **fault: Any) -> None:
    """Let the answers to all attempts of a call be lost, after it took effect."""
    backstage.control.add_fault(service, **{"operation": operation, "times": CALLS, "drop": "response", **fault})


def start(user: ApiUser, project: str, **headers: str) -> Any:
    return user.request("POST", f"/projects/{project}/jobs", TRANSLATE, headers)


def test_a_job_that_was_started_is_not_called_failed(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, "We are happy.")
    lose(backstage, "states", "StartExecution")
    answer = start(ann, project)
    assert answer.status_code == 202
    job = ann.follow_job(project, answer.json()["job"])
    assert (job["status"], job["cause"]) == ("completed", None)
    assert [one["job"] for one in jobs_of(ann, project)] == [job["job"]]
    assert backstage.processing_jobs(job["job"]) == {f"translate-{job['job']}": "Completed"}


def test_a_job_of_which_nobody_knows_whether_it_was_started_runs_once(ann: ApiUser, backstage: Backstage) -> None:
    """Neither the start nor the look at it is answered: the job stays running, and holds up others."""
    project, key = project_with(ann, HELD), {"idempotency-key": new_id()}
    with backstage.held(HELD):
        lose(backstage, "states", "StartExecution")
        lose(backstage, "states", "DescribeExecution")
        assert_problem(start(ann, project, **key), 503, "unavailable")
        backstage.control.clear_faults()
        [job] = jobs_of(ann, project)
        assert job["status"] == "running"
        assert_problem(start(ann, project), 409, "job-running")
        again = start(ann, project, **key)
        assert (again.status_code, again.json()["job"]) == (202, job["job"])
    ended = ann.follow_job(project, job["job"])
    assert ended["status"] == "completed"
    assert backstage.processing_jobs(job["job"]) == {f"translate-{job['job']}": "Completed"}


def test_a_job_that_was_not_started_is_started_by_the_same_request(ann: ApiUser, backstage: Backstage) -> None:
    project, key = project_with(ann, "We are happy."), {"idempotency-key": new_id()}
    backstage.control.add_fault("states", operation="StartExecution", times=CALLS, drop="request")
    assert_problem(start(ann, project, **key), 503, "unavailable")
    [job] = jobs_of(ann, project)
    again = start(ann, project, **key)
    assert (again.status_code, again.json()["job"]) == (202, job["job"])
    assert ann.follow_job(project, job["job"])["status"] == "completed"


def test_a_job_whose_creation_at_sagemaker_was_not_answered_does_not_run_on(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        lose(backstage, "sagemaker", "CreateProcessingJob", times=1)
        ended = ann.follow_job(project, start(ann, project).json()["job"])
        assert (ended["status"], "could not be run" in ended["cause"]) == ("failed", True)
        assert backstage.processing_ended(ended["job"]) == {f"translate-{ended['job']}": "Stopped"}
    assert backstage.lock(project, "translate") is None


def test_a_job_that_was_stopped_is_not_called_running(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        job = processing(ann, backstage, project)
        lose(backstage, "states", "StopExecution")
        assert ann.call("DELETE", f"/projects/{project}/jobs/{job}")["status"] == "cancelled"
        assert backstage.processing_ended(job) == {f"translate-{job}": "Stopped"}


@pytest.mark.parametrize("contains", ["IDEMPOTENCY#", "DOCUMENT#"])
def test_a_document_is_announced_once(ann: ApiUser, backstage: Backstage, contains: str) -> None:
    project, key = ann.create_project("Lost"), {"idempotency-key": new_id()}
    path = f"/projects/{project}/documents"
    lose(backstage, "dynamodb", "PutItem", contains=contains, times=1)
    first = ann.request("POST", path, {"name": "a.txt"}, key)
    assert first.status_code == 201
    assert ann.request("POST", path, {"name": "a.txt"}, key).json()["document"] == first.json()["document"]
    assert len(ann.call("GET", path)["documents"]) == 1


def test_a_rejected_job_is_recorded_once(ann: ApiUser, backstage: Backstage) -> None:
    project = project_with(ann, HELD)
    with backstage.held(HELD):
        processing(ann, backstage, project)
        lose(backstage, "dynamodb", "PutItem", contains="rejected", times=1)
        assert_problem(start(ann, project), 409, "job-running")
        rejected, running = jobs_of(ann, project)
        assert (rejected["status"], running["status"]) == ("rejected", "running")
        ann.call("DELETE", f"/projects/{project}/jobs/{running['job']}")


def test_a_project_is_made_shared_left_and_archived_once(ann: ApiUser, bob: ApiUser, backstage: Backstage) -> None:
    """Each transaction is repeated; what counts the projects that are shared with somebody does not run away."""
    bob_id = bob.call("POST", "/projects", {"name": "Bob's"})["owner"]
    before = shared_projects(backstage, bob_id)

    def lose_transaction() -> None:
        lose(backstage, "dynamodb", "TransactWriteItems", times=1)

    lose_transaction()
    made = ann.call("POST", "/projects", {"name": "Lost", "shared_with": [bob_id]})
    path = f"/projects/{made['project']}"
    assert shared_projects(backstage, bob_id) == before + 1
    lose_transaction()
    assert ann.call("PATCH", path, {"shared_with": []})["shared_with"] == []
    assert shared_projects(backstage, bob_id) == before
    lose_transaction()
    assert ann.call("PATCH", path, {"shared_with": [bob_id]})["shared_with"] == [bob_id]
    assert shared_projects(backstage, bob_id) == before + 1
    lose_transaction()
    assert bob.request("DELETE", f"{path}/members/me").status_code in (204, 404)
    assert shared_projects(backstage, bob_id) == before
    lose_transaction()
    assert ann.request("DELETE", path).status_code == 204


def shared_projects(backstage: Backstage, user: str) -> int:
    item = backstage.client("dynamodb").get_item(
        TableName=backstage.stack.outputs["documents_table"],
        Key={"pk": {"S": f"USER#{user}"}, "sk": {"S": "SHARED"}},
        ConsistentRead=True,
    )
    return int(item.get("Item", {}).get("projects", {"N": "0"})["N"])


def test_a_company_is_removed_once(ann: ApiUser, backstage: Backstage) -> None:
    ann.call("PUT", "/companies/Lost", {})
    lose(backstage, "dynamodb", "DeleteItem", contains="Lost", times=1)
    assert ann.request("DELETE", "/companies/Lost").status_code == 204
    assert_problem(ann.request("DELETE", "/companies/Lost"), 404, "not-found")
