"""Executions whose start or end was not answered, or refused: the jobs' records say what is known."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.handlers.api.harness import ANALYSE, Api, User

NOW = "2026-11-21T07:00:00.123Z"


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    """An error of Step Functions."""
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


LIMIT_EXCEEDED = refusal("ExecutionLimitExceeded", "StartExecution")
UNANSWERED = [EndpointConnectionError(endpoint_url="https://states"), refusal("InternalError", "StartExecution", 500)]


def test_an_execution_that_cannot_be_started_fails_its_job_and_frees_its_kind(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ann.ready()
    with monkeypatch.context() as patched:
        patched.setattr(stepfunctions_of(api), "start_execution", Mock(side_effect=LIMIT_EXCEEDED))
        response = ann("jobs_create", project, body=ANALYSE, key="k")
    assert (response.status, response.problem) == (503, "unavailable")
    assert response.headers["retry-after"] == "5"
    [failed] = ann.ok("jobs_list", project, query={"status": "failed"})["jobs"]
    assert failed["cause"] == "The job could not be started."
    assert ann("jobs_create", project, body=ANALYSE, key="k").status == 202


@pytest.mark.parametrize("error", [LIMIT_EXCEEDED, *UNANSWERED])
def test_an_execution_that_was_started_without_an_answer_is_not_a_failure(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    project = ann.ready()
    start = stepfunctions_of(api).start_execution

    def start_without_an_answer(**arguments: Any) -> None:
        start(**arguments)
        raise error

    monkeypatch.setattr(stepfunctions_of(api), "start_execution", start_without_an_answer)
    response = ann("jobs_create", project, body=ANALYSE)
    assert (response.status, response.json["status"]) == (202, "running")
    assert api.execution(response.json["job"])["status"] == "RUNNING"


@pytest.mark.parametrize("error", UNANSWERED)
@pytest.mark.parametrize("looked", [True, False])
def test_a_job_of_which_nobody_knows_whether_it_was_started_stays_running(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch, error: Exception, looked: bool
) -> None:
    project = ann.ready()
    with monkeypatch.context() as patched:
        patched.setattr(stepfunctions_of(api), "start_execution", Mock(side_effect=error))
        if not looked:
            patched.setattr(stepfunctions_of(api), "describe_execution", Mock(side_effect=error))
        response = ann("jobs_create", project, body=ANALYSE, key="k")
    assert (response.status, response.problem) == (503, "unavailable")
    [job] = ann.ok("jobs_list", project)["jobs"]
    assert job["status"] == "running"
    # The same request goes on with the same job.
    assert ann.ok("jobs_create", project, body=ANALYSE, key="k")["job"] == job["job"]
    assert api.execution(job["job"])["status"] == "RUNNING"


def test_a_job_that_has_begun_is_not_recorded_as_failed(api: Api, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look at the execution is older than its beginning, which the job's record has."""
    project = ann.ready()

    def begin(**arguments: Any) -> None:
        api.state_machine(project, arguments["name"]).mark_running(NOW)
        raise LIMIT_EXCEEDED

    monkeypatch.setattr(stepfunctions_of(api), "start_execution", begin)
    response = ann("jobs_create", project, body=ANALYSE)
    assert (response.status, response.json["status"]) == (202, "running")
    assert api.item(project, "RUNNING#analyse")


def stepfunctions_of(api: Api) -> Any:
    """The client that starts executions."""
    return api.modules["jobs_create"].starter._executions._stepfunctions


def test_an_execution_that_was_started_before_is_not_a_failure(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refusal("ExecutionAlreadyExists", "StartExecution")
    starter = api.modules["jobs_create"].starter
    monkeypatch.setattr(starter._executions._stepfunctions, "start_execution", Mock(side_effect=error))
    assert ann("jobs_create", ann.ready(), body=ANALYSE).status == 202


def test_a_stop_that_fails_is_made_up_for_by_cancelling_again(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ann.ready()
    job = ann.job(project)
    error = refusal("ThrottlingException", "StopExecution")
    with monkeypatch.context() as patched:
        stepfunctions = api.modules["job_cancel"].executions._stepfunctions
        patched.setattr(stepfunctions, "stop_execution", Mock(side_effect=error))
        assert ann("job_cancel", project, job).status == 429
    assert api.execution(job)["status"] == "RUNNING"
    assert ann.ok("job_cancel", project, job)["status"] == "cancelled"
    assert api.execution(job)["status"] == "ABORTED"


@pytest.mark.parametrize("error", UNANSWERED)
def test_an_execution_that_was_stopped_without_an_answer_is_stopped(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    project = ann.ready()
    job = ann.job(project)
    stepfunctions = api.modules["job_cancel"].executions._stepfunctions
    stop = stepfunctions.stop_execution

    def stop_without_an_answer(**arguments: Any) -> None:
        stop(**arguments)
        raise error

    monkeypatch.setattr(stepfunctions, "stop_execution", stop_without_an_answer)
    assert ann.ok("job_cancel", project, job)["status"] == "cancelled"
    assert api.execution(job)["status"] == "ABORTED"
