"""Where the log of an invocation ends."""

from __future__ import annotations

import io
import json
import queue
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime

from local.aws.emulator import EmulatorError
from local.aws.lambda_workers import MARK, acquiring_current, marked, read_log

HANDLER = """
import sys

def handler(event, context):
    for line in event["lines"]:
        print(line)
    sys.stderr.write(event.get("rest", ""))
    if event.get("fails"):
        raise ValueError("failed")
    return len(event["lines"])
"""


def lines(*texts: str) -> queue.Queue[str]:
    filled: queue.Queue[str] = queue.Queue()
    for text in texts:
        filled.put(text)
    return filled


@pytest.mark.parametrize(
    ("written", "expected", "left"),
    [
        ([MARK], "", 0),
        (["one", "two", MARK], "one\ntwo", 0),
        (["one", "", MARK], "one\n", 0),
        ([f"no end of line{MARK}"], "no end of line", 0),
        (["one", MARK, "of the next", MARK], "one", 2),
    ],
)
def test_a_log_ends_at_the_mark(written: list[str], expected: str, left: int) -> None:
    log = lines(*written)
    assert read_log(log, wait_seconds=10) == expected
    assert log.qsize() == left


def test_a_worker_that_ended_leaves_what_it_wrote() -> None:
    assert read_log(lines("last words"), wait_seconds=0.01) == "last words"


def test_a_silent_function_is_not_waited_for() -> None:
    started = time.perf_counter()
    assert read_log(lines(MARK), wait_seconds=10) == ""
    assert time.perf_counter() - started < 1


def test_an_unknown_worker_program_is_refused() -> None:
    with pytest.raises(EmulatorError, match="Python worker for Lambda"):
        marked("while True: pass")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"lines": []}, {"lines": ["a", "b"]}], [[""], ["a", "b", ""]]),
        ([{"lines": ["a"], "rest": "no end"}, {"lines": []}], [["a", "no end"], [""]]),
        ([{"lines": ["a"], "fails": True}, {"lines": ["b"]}], [["a", ""], ["b", ""]]),
    ],
)
def test_ministacks_worker_writes_the_mark(
    tmp_path: Path, events: list[dict[str, Any]], expected: list[list[str]]
) -> None:
    (tmp_path / "index.py").write_text(HANDLER)
    (tmp_path / "worker.py").write_text(marked(lambda_runtime._PYTHON_WORKER_SCRIPT))
    start = {"code_dir": str(tmp_path), "module": "index", "handler": "handler"}
    sent = io.StringIO()
    for message in [start, *({"event": event} for event in events)]:
        sent.write(json.dumps(message) + "\n")
    worker = subprocess.run(
        [sys.executable, str(tmp_path / "worker.py")], input=sent.getvalue(), capture_output=True, text=True, check=True
    )
    answers = [json.loads(line)["status"] for line in worker.stdout.splitlines()]
    assert answers == ["ready", *("error" if event.get("fails") else "ok" for event in events)]
    assert [log.split("\n") for log in worker.stderr.split(MARK + "\n")[:-1]] == expected


@pytest.mark.parametrize(("qualifier", "size", "code"), [("$LATEST", "1", b"new"), ("7", "2000", b"old")])
def test_a_repeated_invocation_gets_a_worker_with_the_present_settings(qualifier: str, size: str, code: bytes) -> None:
    acquired: list[Any] = []

    def acquire(name: str, config: dict[str, Any], code_zip: bytes, **others: Any) -> None:
        acquired.append((name, config, code_zip, others))

    functions = {"dispatch": {"config": {"FunctionArn": "arn", "Environment": {"SIZE": "1"}}, "code_zip": b"new"}}
    at_the_first_attempt = {"FunctionArn": "arn:live", "Environment": {"SIZE": "2000"}}
    acquire_current = acquiring_current(acquire, functions)
    acquire_current("dispatch", at_the_first_attempt, b"old", qualifier=qualifier)
    config = {"FunctionArn": "arn:live", "Environment": {"SIZE": size}}
    assert acquired == [("dispatch", config, code, {"qualifier": qualifier})]
