"""Fixtures of the batch program's tests."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from logging import StreamHandler
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from handlers.batch import main as program
from handlers.common import logs
from tests.handlers.batch.fake_aws import FakeAws, serving
from tests.support.pulumi_mocks import ROOT_FOLDER


class Outcome(NamedTuple):
    """What a container left behind."""

    code: int
    output: Path
    message: str
    logs: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.output / "report.json").read_bytes())

    def statuses(self) -> dict[str, str]:
        return {document["name"]: document["status"] for document in self.report["documents"]}


Run = Callable[..., Outcome]


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def endpoint(aws: FakeAws) -> Iterator[str]:
    with serving(aws) as url:
        yield url


@pytest.fixture
def run_container(tmp_path: Path, endpoint: str) -> Run:
    """Run the program as a container does, with its folders and environment variables, but in this process.

    A process takes most of a second to start, and runs the same program.
    """
    return _runner(tmp_path, endpoint, _run_here)


@pytest.fixture
def run_process(tmp_path: Path, endpoint: str) -> Run:
    """Run the program as SageMaker does: a process with folders and environment variables."""
    return _runner(tmp_path, endpoint, _run_process)


def _runner(folder: Path, endpoint: str, start: Callable[[dict[str, str]], tuple[int, str]]) -> Run:
    def run(
        kind: str,
        options: object,
        inputs: dict[str, bytes],
        host: str = "algo-1",
        hosts: tuple[str, ...] = ("algo-1",),
        **environment: str,
    ) -> Outcome:
        machine = folder / f"{kind}-{host}"
        root = machine / "processing"
        for name, content in inputs.items():
            path = root / "input" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (machine / "config").mkdir(parents=True, exist_ok=True)
        (machine / "config" / "resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": hosts}))
        variables = {
            "PATH": os.environ["PATH"],
            "PROCESSING_ROOT": str(root),
            "JOB_KIND": kind,
            "JOB_ID": "job-1",
            "JOB_OPTIONS": options if isinstance(options, str) else json.dumps(options),
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            **environment,
        }
        code, output = start(variables)
        message = machine / "output" / "message"
        text = message.read_text() if message.exists() else ""
        return Outcome(code, root / "output", text, output)

    return run


def _run_process(variables: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-W", "error", str(ROOT_FOLDER / "handlers" / "batch" / "run.py")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def _run_here(variables: dict[str, str]) -> tuple[int, str]:
    output = io.StringIO()
    handler = logs.logger.handlers[0]  # pytest appends its own
    assert isinstance(handler, StreamHandler)
    with (
        patch.dict(os.environ, variables, clear=True),
        patch.object(handler, "stream", output),
        patch.object(logs, "_context", {}),
        redirect_stdout(output),
        redirect_stderr(output),
    ):
        code = program.main()
    return code, output.getvalue()
