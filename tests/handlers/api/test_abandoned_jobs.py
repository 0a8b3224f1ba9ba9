"""Jobs that are recorded as running while nothing runs them: they are in nobody's way, once that is sure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from handlers.projects import starting
from tests.handlers.api.harness import ANALYSE, Api, User


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts from now on come long after those before."""
    monkeypatch.setattr(starting, "STARTING_SECONDS", -3600)


def test_a_job_whose_execution_was_never_started_holds_up_the_next_one_for_a_minute(
    api: Api, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ann.ready()
    with monkeypatch.context() as patched:
        patched.setattr(api.modules["jobs_create"].starter._executions._stepfunctions, "start_execution", Mock())
        lost = ann.job(project)
    assert ann("jobs_create", project, body=ANALYSE).problem == "job-running"
    monkeypatch.setattr(starting, "STARTING_SECONDS", -3600)
    following = ann.job(project)
    ended = ann.ok("job_get", project, lost)
    assert (ended["status"], "was not started" in ended["cause"]) == ("failed", True)
    assert ended["finished_at"]
    lock = api.item(project, "RUNNING#analyse")
    assert lock
    assert lock["job"] == following
    assert api.execution(following)["status"] == "RUNNING"


@pytest.mark.usefixtures("later")
def test_a_job_whose_execution_was_stopped_from_outside_makes_room_for_the_next_one(api: Api, ann: User) -> None:
    project = ann.ready()
    stopped = ann.job(project)
    assert ann("jobs_create", project, body=ANALYSE).problem == "job-running"
    api.stepfunctions.stop_execution(executionArn=api.execution(stopped)["executionArn"])
    assert ann.job(project)
    ended = ann.ok("job_get", project, stopped)
    assert (ended["status"], "stopped from outside" in ended["cause"]) == ("failed", True)


@pytest.mark.usefixtures("later")
def test_twenty_starts_beside_an_abandoned_job_are_one_job(api: Api, ann: User, threads: ThreadPoolExecutor) -> None:
    project = ann.ready()
    stopped = ann.job(project)
    api.stepfunctions.stop_execution(executionArn=api.execution(stopped)["executionArn"])
    responses = list(threads.map(lambda _: ann("jobs_create", project, body=ANALYSE), range(20)))
    [winner] = [response.json["job"] for response in responses if response.status == 202]
    assert {response.problem for response in responses if response.status != 202} == {"job-running"}
    assert [job["job"] for job in ann.ok("jobs_list", project, query={"status": "running"})["jobs"]] == [winner]
    assert [job["job"] for job in ann.ok("jobs_list", project, query={"status": "failed"})["jobs"]] == [stopped]


@pytest.mark.usefixtures("later")
def test_whether_a_job_is_abandoned_is_not_guessed(api: Api, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ann.ready()
    job = ann.job(project)
    error = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "DescribeExecution")
    starter = api.modules["jobs_create"].starter
    monkeypatch.setattr(starter._executions._stepfunctions, "describe_execution", Mock(side_effect=error))
    assert ann("jobs_create", project, body=ANALYSE).status == 429
    assert ann.ok("job_get", project, job)["status"] == "running"
