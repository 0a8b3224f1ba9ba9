"""Jobs that end before their time, and jobs that would cost too much: what is done is kept, and no more is paid."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers.batch.clock import JobClock
from handlers.batch.errors import DocumentError
from handlers.batch.isolation.processes import STOPPED
from tests.handlers.batch.conftest import Run
from tests.handlers.batch.fake_aws import FakeAws
from tests.handlers.batch.hostile_documents import large_body, large_types, many_footnotes, many_signs, repeated_parts
from tests.support.pulumi_mocks import ROOT_FOLDER

ENGLISH = {"source": "en", "target": "de"}
GOOD = {f"documents/{number}.txt": f"The season number {number} was good.".encode() for number in range(4)}
HELD = {"documents/held.txt": b"This text is held."}

# Starts a job; gives its process and the folder of its results.
Start = Callable[..., tuple[subprocess.Popen[str], Path]]


@pytest.fixture
def start(tmp_path: Path, endpoint: str, aws: FakeAws) -> Start:
    def start(
        kind: str, options: dict[str, Any], inputs: dict[str, bytes], seconds: float = 600
    ) -> tuple[subprocess.Popen[str], Path]:
        root = tmp_path / "machine" / "processing"
        for name, content in inputs.items():
            path = root / "input" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (root.parent / "config").mkdir()
        condition = {"StoppingCondition": {"MaxRuntimeInSeconds": seconds}}
        (root.parent / "config" / "processingjobconfig.json").write_text(json.dumps(condition))
        variables = {
            "PATH": os.environ["PATH"],
            "PROCESSING_ROOT": str(root),
            "JOB_KIND": kind,
            "JOB_ID": "job-1",
            "JOB_OPTIONS": json.dumps(options),
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        command = [sys.executable, "-W", "error", str(ROOT_FOLDER / "handlers" / "batch" / "run.py")]
        started = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return started, root / "output"

    return start


@pytest.fixture
def release(aws: FakeAws) -> threading.Event:
    """Hold a text until this is set."""
    event = threading.Event()

    def translate(text: str) -> str:
        if "held" in text:
            event.wait(60)
        return text.upper()

    aws.translate = translate
    return event


def await_files(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 40
    while len(list(folder.rglob("*.txt"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


DONE = {f"documents/{number}.de.txt" for number in range(4)}


def test_a_job_that_is_asked_to_stop_keeps_what_is_done(start: Start, release: threading.Event) -> None:
    process, output = start("translate", ENGLISH, {**GOOD, **HELD})
    await_files(output, 4)
    process.send_signal(signal.SIGTERM)
    logs, _ = process.communicate(timeout=30)
    release.set()
    assert process.returncode == 143, logs
    assert names(output) == {*DONE, "report.json"}
    report = json.loads((output / "report.json").read_bytes())
    assert (report["is_complete"], report["totals"]["completed"]) == (False, 4)
    assert {one["name"]: one.get("reason") for one in report["documents"] if one["status"] == "failed"} == {
        "held.txt": STOPPED
    }
    message = (output.parents[1] / "output" / "message").read_text()
    assert message.startswith("The job had to end before all its documents were done. Of 5, 4 are done;")


def test_a_job_whose_time_is_over_ends_by_itself(start: Start, release: threading.Event) -> None:
    process, output = start("translate", ENGLISH, {**GOOD, **HELD}, seconds=12)
    logs, _ = process.communicate(timeout=40)
    release.set()
    assert process.returncode == 0, logs
    report = json.loads((output / "report.json").read_bytes())
    assert not report["is_complete"]
    assert names(output) >= {*DONE, "report.json"}


def test_a_job_that_is_killed_keeps_what_is_done(start: Start, release: threading.Event) -> None:
    process, output = start("translate", ENGLISH, {**GOOD, **HELD})
    await_files(output, 4)
    process.kill()
    process.communicate(timeout=30)
    release.set()
    assert names(output) == DONE, "no half file has a name"
    for number in range(4):
        assert (output / "documents" / f"{number}.de.txt").read_text() == f"THE SEASON NUMBER {number} WAS GOOD."


def test_the_report_is_saved_while_a_job_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from handlers.batch import progress as module
    from handlers.batch.budget import Budget
    from handlers.batch.progress import Progress
    from handlers.batch.report import completed

    saved: list[list[tuple[str, str, str | None]]] = []
    monkeypatch.setattr(module, "_SAVE_SECONDS", 0)
    monkeypatch.setattr(module, "_SAVE_SHARE", 0)
    progress = Progress(
        ["a", "b"], lambda reports: saved.append([(one.name, one.status, one.reason) for one in reports])
    )
    monkeypatch.setattr(progress, "_next_save", 0)
    progress.add(completed("a", Budget(1)))
    assert saved == [[("a", "completed", None), ("b", "failed", STOPPED)]]
    assert progress.left == ["b"]


# Characters


def test_a_job_that_would_send_too_much_sends_nothing(run_container: Run, aws: FakeAws) -> None:
    inputs = {**GOOD, "documents/notes.docx": many_footnotes(20_000)}
    for kind, options in (("translate", ENGLISH), ("analyse", {})):
        done = run_container(kind, options, inputs, MAX_CHARACTERS="10000")
        assert done.code == 0, done.logs
        assert set(done.statuses().values()) == {"failed"}
        assert "characters; at most 10,000 may be sent. Nothing was sent." in done.message
        counted = {one["name"]: one["counted_characters"] for one in done.report["documents"]}
        assert counted["notes.docx"] > 20_000
        assert counted["0.txt"] == len(GOOD["documents/0.txt"]) + 1
        assert done.report["totals"]["sent_characters"] == 0
    assert not aws.calls


def test_a_job_within_its_limit_says_what_it_has_counted_and_sent(run_container: Run, aws: FakeAws) -> None:
    inputs = {**GOOD, "documents/notes.docx": many_footnotes(5000), "documents/again.docx": repeated_parts(1000)}
    done = run_container("translate", ENGLISH, inputs, MAX_CHARACTERS="20000")
    assert set(done.statuses().values()) == {"completed"}, done.logs
    totals = done.report["totals"]
    assert totals["sent_characters"] == sum(map(len, aws.translated)) <= totals["counted_characters"] < 20_000
    assert all(one["sent_characters"] <= one["counted_characters"] for one in done.report["documents"])


def test_instances_have_equal_shares_of_the_limit(run_container: Run, aws: FakeAws) -> None:
    hosts = ("algo-1", "algo-2")
    refused = run_container("translate", ENGLISH, GOOD, "algo-1", hosts, MAX_CHARACTERS="200")
    assert (refused.code, aws.calls) == (1, {})
    assert "this instance's share of the job have" in refused.message
    assert "at most 100 may be sent" in refused.message
    assert run_container("translate", ENGLISH, GOOD, "algo-2", hosts, MAX_CHARACTERS="400").code == 0


def test_a_document_with_too_many_characters_fails_alone(run_container: Run) -> None:
    inputs = {**GOOD, "documents/long.txt": b"Many words. " * 1000, "documents/notes.docx": many_footnotes(20_000)}
    done = run_container("translate", ENGLISH, inputs, MAX_DOCUMENT_CHARACTERS="10000")
    reasons = {one["name"]: one["reason"] for one in done.report["documents"] if "reason" in one}
    assert reasons.keys() == {"long.txt", "notes.docx"}
    assert "characters of text; at most 10,000 are allowed. Split it." in reasons["long.txt"]


# Hostile documents among good ones


@pytest.mark.parametrize(("kind", "options"), [("translate", ENGLISH), ("analyse", {})])
def test_hostile_documents_do_not_harm_the_others(run_container: Run, kind: str, options: dict[str, str]) -> None:
    good = {f"documents/good-{number}.txt": f"Season {number} was good.".encode() for number in range(30)}
    hostile = {
        "documents/memory.docx": (large_body(45), r"It takes more than \d+ MB of memory\."),
        "documents/time.md": (many_signs(12_000), r"It takes longer than the time limit of 12 seconds\."),
        "documents/types.docx": (large_types(49), r"\[Content_Types\]\.xml has more than 1000000 bytes"),
    }
    inputs = {**good, **{name: content for name, (content, _) in hostile.items()}}
    done = run_container(kind, options, inputs, DOCUMENT_SECONDS="12", MEMORY_BYTES="1000000000")
    assert done.code == 0, done.logs
    reports = {one["name"]: one for one in done.report["documents"]}
    for name, (_, reason) in hostile.items():
        assert re.search(reason, reports[name.removeprefix("documents/")]["reason"])
    assert {name for name, one in reports.items() if one["status"] == "completed"} == {
        name.removeprefix("documents/") for name in good
    }


# Time


def test_the_time_of_a_document_is_what_the_job_has_left() -> None:
    now = [0.0]
    clock = JobClock(1000, 1800, lambda: now[0])
    assert clock.document_seconds() == 450, "a tenth is kept, and others wait"
    clock.waiting = 0
    assert clock.document_seconds() > 900, "nobody waits: the end of the job ends it"
    clock.waiting = 1
    now[0] = 890
    assert clock.document_seconds() == 5
    assert not clock.is_over
    now[0] = 900
    assert clock.is_over
    with pytest.raises(DocumentError, match="The job's time was over before it was its turn"):
        clock.document_seconds()
    assert JobClock(None, 1800).document_seconds() == 1800
    assert JobClock(100_000, 1800).document_seconds() == 1800
