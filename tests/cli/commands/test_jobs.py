"""`nlp jobs`: what is asked for, following a job to its end, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import cli.api.job_follow
from cli.api.job_follow import follow_job
from cli.environment import PROJECT_ROOT
from tests.support.cli_api import (
    PROJECT,
    YOU,
    Answer,
    ApiServer,
    Request,
    answer,
    jwt,
    page,
    problem,
    running_api,
)

JOB = "01939d4b-0000-7a4e-8f2d-3b5c7e9a1d21"
JOBS = f"/projects/{PROJECT}/jobs"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(cli.api.job_follow, "SHORTEST_PAUSE_S", 0.01)
    with running_api(tmp_path) as server:
        yield server


def job(status: str = "running", **more: Any) -> dict[str, Any]:
    ended = status != "running"
    return {
        "job": JOB,
        "project": PROJECT,
        "kind": "translate",
        "options": {"target": "de", "source": "auto", "engine": "amazon"},
        "status": status,
        "requested_by": YOU,
        "requested_at": "2026-11-21T06:52:00Z",
        "started_at": "2026-11-21T06:52:10Z" if ended else None,
        "finished_at": "2026-11-21T06:55:17Z" if ended else None,
        "cause": None,
        **more,
    }


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (("translate", "--to", "de"), {"kind": "translate", "options": {"target": "de"}}),
        (
            ("translate", "--to", "de", "--from", "en", "--engine", "marian"),
            {"kind": "translate", "options": {"target": "de", "source": "en", "engine": "marian"}},
        ),
        (("analyse",), {"kind": "analyse", "options": {}}),
        (
            ("analyse", "--language", "en", "--topics", "5", "--summary-sentences", "2"),
            {"kind": "analyse", "options": {"language": "en", "topics": 5, "summary_sentences": 2}},
        ),
    ],
)
def test_start(api: ApiServer, arguments: tuple[str, ...], body: dict[str, Any]) -> None:
    api.on("POST", JOBS, answer(job(), 202))
    result = api.invoke("jobs", "start", "-p", PROJECT, *arguments)
    assert result.stdout == f"Started {arguments[0]} job {JOB}.\n"
    assert f"nlp jobs show -p {PROJECT} {JOB} --wait" in result.stderr
    assert api.json("jobs", "start", "-p", PROJECT, *arguments) == job()
    first, second = api.requests
    assert first.json == second.json == body
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("translate",), "--to de"),
        (("analyse", "--to", "de", "--engine", "amazon"), "no --to and no --engine"),
        (("translate", "--to", "de", "--topics", "3"), "no --topics"),
        (("summarise",), "translate"),
        (("analyse", "--topics", "21"), "1<=x<=20"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(
    api: ApiServer, arguments: tuple[str, ...], expected: str
) -> None:
    assert expected in api.invoke("jobs", "start", "-p", PROJECT, *arguments, code=2).stderr
    assert api.requests == []


def test_a_refused_field_is_named_by_its_option(api: ApiServer) -> None:
    wrong = [{"field": "options.target", "expected": "a language code"}]
    api.on("POST", JOBS, problem("invalid-fields", 422, errors=wrong))
    error = api.invoke("jobs", "start", "-p", PROJECT, "translate", "--to", "xx", code=1).stderr
    assert error == "nlp: Invalid fields: --to: a language code\n"


def test_a_second_job_of_a_kind_is_refused(api: ApiServer) -> None:
    api.on("POST", JOBS, problem("job-running", 409, f"Another translate job was running in the project: {JOB}."))
    error = api.invoke("jobs", "start", "-p", PROJECT, "analyse", code=1).stderr
    assert JOB in error
    assert f"nlp jobs list -p {PROJECT} --status running" in error


def test_wait_for_a_job_that_completes(api: ApiServer) -> None:
    api.on("POST", JOBS, answer(job(), 202))
    works = job(started_at="2026-11-21T06:52:10Z")
    api.on("GET", f"{JOBS}/{JOB}", answer(job()), answer(works), answer(job("completed")))
    result = api.invoke("jobs", "start", "-p", PROJECT, "translate", "--to", "de", "--wait")
    assert result.stdout == f"The translate job {JOB} is completed, in 3 min 17 s.\n"
    name = f"translate job {JOB}"
    assert result.stderr.splitlines()[:2] == [f"{name}: starting ...", f"{name}: running ..."]
    assert f"nlp jobs download -p {PROJECT} {JOB}" in result.stderr
    assert len(api.received("GET", f"{JOBS}/{JOB}")) == 3


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_wait_for_a_job_that_does_not_complete(api: ApiServer, status: str) -> None:
    api.on("POST", JOBS, answer(job(), 202))
    api.on("GET", f"{JOBS}/{JOB}", answer(job(status, cause="The disk is full.")))
    arguments = ("jobs", "start", "-p", PROJECT, "translate", "--to", "de", "--wait")
    result = api.invoke(*arguments, code=3)
    assert result.stderr.splitlines()[-1] == f"nlp: The translate job {JOB} is {status}: The disk is full."
    assert api.json(*arguments, code=3)["status"] == status


def test_wait_until_time_is_up(api: ApiServer) -> None:
    api.on("GET", f"{JOBS}/{JOB}", answer(job()))
    result = api.invoke("jobs", "show", "-p", PROJECT, JOB, "--wait", "--timeout", "1s", code=1)
    assert "Time is up" in result.stderr
    assert f"nlp jobs show -p {PROJECT} {JOB} --wait" in result.stderr


def test_pauses_grow_up_to_a_limit() -> None:
    pauses: list[float] = []

    class Slow:
        def get(self, *_: str) -> dict[str, Any]:
            return job() if len(pauses) < 30 else job("completed")

        def pause(self, seconds: float) -> None:
            pauses.append(seconds)

    ended = follow_job(Slow(), job(), timedelta(hours=1), lambda: sum(pauses))  # pyright: ignore[reportArgumentType]
    assert ended["status"] == "completed"
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.5, 5.0)


def test_ctrl_c_leaves_the_job_running(api: ApiServer) -> None:
    begun = threading.Event()

    def still(_: Request) -> Answer:
        begun.set()
        return answer(job())

    api.on("GET", f"{JOBS}/{JOB}", answer(job()), still)
    given = {"NLP_TOKEN": jwt(), "NLP_STATE": str(api.product().state_file), "PYTHONPATH": str(PROJECT_ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "jobs", "show", "-p", PROJECT, JOB, "--wait"],
        env={**os.environ, **given},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert begun.wait(20)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    finally:
        process.kill()
    assert f"Stopped following; the translate job {JOB} goes on." in error
    assert (process.returncode, "Traceback" in error) == (1, False)
    assert {request.method for request in api.requests} == {"GET"}


def test_list(api: ApiServer) -> None:
    other = job("completed", kind="analyse")
    api.on("GET", JOBS, page("jobs", job(), other), page("jobs", other), page("jobs"))
    heading, first, second = api.invoke("jobs", "list", "-p", PROJECT).stdout.splitlines()
    assert heading.split() == ["job", "kind", "status", "requested", "took"]
    assert first.split()[:3] == [JOB, "translate", "running"]
    assert second.split()[-1] == "3:17"
    assert max(map(len, (heading, first, second))) <= 80
    assert api.json("jobs", "list", "-p", PROJECT, "--status", "completed") == [other]
    assert api.requests[-1].query["status"] == "completed"
    assert "No failed jobs." in api.invoke("jobs", "list", "-p", PROJECT, "--status", "failed").stderr
    assert "completed" in api.invoke("jobs", "list", "-p", PROJECT, "--status", "odd", code=2).stderr


def test_show(api: ApiServer) -> None:
    api.on("GET", f"{JOBS}/{JOB}", answer(job("failed", cause="Two\nlines")))
    shown = api.invoke("jobs", "show", "-p", PROJECT, JOB).stdout
    assert r"Two\nlines" in shown
    assert "target de, source auto, engine amazon" in shown
    assert "after 3 min 17 s" in shown
    assert api.json("jobs", "show", "-p", PROJECT, JOB)["cause"] == "Two\nlines"


def test_the_latest_job(api: ApiServer) -> None:
    api.on("GET", JOBS, page("jobs", job("completed")), page("jobs"))
    assert api.json("jobs", "show", "-p", PROJECT, "latest")["job"] == JOB
    assert api.requests[-1].query == {"status": "completed", "limit": "1"}
    assert "no completed job yet" in api.invoke("jobs", "show", "-p", PROJECT, "latest", code=1).stderr
    api.on("GET", f"{JOBS}/latest", answer(job("completed")))
    assert api.json("jobs", "show", "-p", PROJECT, "latest", "--kind", "translate")["job"] == JOB
    assert api.requests[-1].query == {"kind": "translate"}
    api.invoke("jobs", "show", "-p", PROJECT, JOB, "--kind", "translate", code=2)


def test_cancel(api: ApiServer) -> None:
    ended = problem("job-not-running", 409, "The job is failed; only a running job can be cancelled.")
    api.on("DELETE", f"{JOBS}/{JOB}", answer(job("cancelled")), ended)
    assert api.invoke("jobs", "cancel", "-p", PROJECT, JOB).stdout == f"Cancelled translate job {JOB}.\n"
    error = api.invoke("jobs", "cancel", "-p", PROJECT, JOB, code=1).stderr
    assert "The job is failed; only a running job can be cancelled." in error
