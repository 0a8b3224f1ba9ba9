"""Transfers of files: several at a time, without reading them into memory, and ended by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import cli.api.transfers
from cli.api import backoff
from cli.api.client import Api
from cli.api.uploads import Uploader
from cli.aws.deployment import Deployment
from cli.ui.document_files import DocumentFile
from cli.ui.errors import CliError
from schema.limits import UPLOAD_BYTES
from tests.support.cli_api import (
    DOCUMENTS,
    DROPPED,
    IDS,
    PROJECT,
    STORED,
    Answer,
    ApiServer,
    Request,
    environment_of_a_process,
    jwt,
    running_api,
    take_documents,
)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(backoff, "BACKOFF", replace(backoff.BACKOFF, first_seconds=0.001))
    monkeypatch.chdir(tmp_path)
    with running_api(tmp_path) as server:
        take_documents(server)
        yield server


def write(path: str, content: str = "Hello.") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def test_a_few_files_are_sent_at_a_time(api: ApiServer) -> None:
    at_once = cli.api.transfers.TRANSFERS
    for number in range(3 * at_once):
        write(f"{number}.txt")
    all_there = threading.Barrier(at_once, timeout=10)
    lock, now, most = threading.Lock(), [0], [0]

    def store(_: Request) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        all_there.wait()
        with lock:
            now[0] -= 1
        return STORED

    api.on("POST", "/bucket", store)
    api.invoke("documents", "upload", "-p", PROJECT, ".")
    assert most == [at_once]


def test_a_large_file_is_not_read_into_memory(api: ApiServer) -> None:
    def peak(size: int) -> int:
        with Path("a.txt").open("wb") as file:
            file.truncate(size)
        program = (
            "import resource; from cli.app import nlp;"
            f"nlp(['documents', 'upload', '-p', '{PROJECT}', 'a.txt'], standalone_mode=False);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", program]
        environment = environment_of_a_process(api)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return int(done.stdout.split()[-1]) * 1024

    small, large = peak(1000), peak(UPLOAD_BYTES)
    assert api.received("POST", "/bucket")[-1].size > UPLOAD_BYTES
    assert large - small < 10_000_000


@pytest.mark.parametrize("changed", [70_000, 300_000])
def test_a_file_that_changes_meanwhile(api: ApiServer, changed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLP_TOKEN", jwt())
    file = write("a.txt", "x" * 200_000)
    api.on("DELETE", f"{DOCUMENTS}/{IDS[0]}", Answer(204))

    def change(_: int) -> None:
        os.truncate(file, changed)

    outputs = {"api_url": api.url, "region": "eu-central-1"}
    with closing(Api(Deployment("local", outputs, api.url))) as opened, pytest.raises(CliError, match="it changed"):
        Uploader(opened, PROJECT, cli.api.transfers.Stop(), change).upload(DocumentFile(file, 200_000))
    assert len(api.received("DELETE", f"{DOCUMENTS}/{IDS[0]}")) == 1


def test_what_is_stopped_is_not_left_behind(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLP_TOKEN", jwt())
    file, stop = write("a.txt", "x" * 200_000), cli.api.transfers.Stop()
    api.on("DELETE", f"{DOCUMENTS}/{IDS[0]}", Answer(204))
    outputs = {"api_url": api.url, "region": "eu-central-1"}
    with closing(Api(Deployment("local", outputs, api.url))) as opened, pytest.raises(cli.api.transfers.StoppedError):
        Uploader(opened, PROJECT, stop, lambda _: stop.now()).upload(DocumentFile(file, 200_000))
    assert len(api.received("DELETE", f"{DOCUMENTS}/{IDS[0]}")) == 1


def test_ctrl_c_ends_all_of_it_soon(api: ApiServer) -> None:
    for number in range(12):
        write(f"{number}.txt")
    begun, over = threading.Barrier(cli.api.transfers.TRANSFERS + 1), threading.Event()

    def hang(_: Request) -> Answer:
        begun.wait(20)
        over.wait(60)
        return DROPPED

    api.on("POST", "/bucket", hang)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "documents", "upload", "-p", PROJECT, "."],
        env=environment_of_a_process(api),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        begun.wait(20)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, error = process.communicate(timeout=30)
    finally:
        over.set()
        process.kill()
    assert time.monotonic() - started < cli.api.transfers.ENDING_S + 5
    assert f"Stopped. See what was uploaded before: nlp documents list -p {PROJECT}" in error
    assert (process.returncode, "Traceback" in error) == (1, False)
    assert len(api.received("POST", "/bucket")) == cli.api.transfers.TRANSFERS
