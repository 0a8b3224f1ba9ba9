"""The search for known vulnerabilities: it passes over a database that does not answer, and never over a finding."""

from __future__ import annotations

import importlib.util
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.pulumi_mocks import ROOT_FOLDER

FILE = ROOT_FOLDER / ".ci" / "audit.py"
REQUIREMENTS = ROOT_FOLDER / "requirements"


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def database() -> Iterator[HTTPServer]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = {"/good": (200, b'{"vulnerabilities": []}'), "/other": (200, b"<html>"), "/bad": (503, b"")}
            code, body = found[self.path]
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/good", None), ("/other", "it answers without vulnerabilities"), ("/bad", "it answers 503")],
)
def test_database_is_asked_before_anything_else(
    audit: ModuleType, database: HTTPServer, path: str, reason: str | None
) -> None:
    assert audit.unreachable(f"http://127.0.0.1:{database.server_port}{path}") == reason


def test_network_that_is_not_there_is_a_reason(audit: ModuleType) -> None:
    assert audit.unreachable("http://127.0.0.1:9/") == "[Errno 111] Connection refused"


def test_database_that_does_not_answer_in_time_is_not_waited_for(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(audit, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(audit, "_ask", lambda _: ended.wait(30) and None)
    assert audit.unreachable() == "no answer within 0.05 seconds"
    ended.set()


def test_without_the_database_nothing_is_checked_and_the_reason_printed(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "unreachable", lambda: "no route")
    monkeypatch.setattr(subprocess, "run", None)
    assert audit.main() == 0
    assert "cannot be used (no route)" in capsys.readouterr().out


@pytest.mark.parametrize("code", [0, 1])
def test_finding_fails(audit: ModuleType, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    checked: list[str] = []

    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[bytes]:
        checked.append(command[command.index("--requirement") + 1])
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(audit, "unreachable", lambda: None)
    monkeypatch.setattr(subprocess, "run", run)
    assert audit.main() == code
    assert checked == [str(REQUIREMENTS / "development.txt")]


def test_checked_file_has_the_packages_of_all_lock_files() -> None:
    def packages(file: Path) -> set[str]:
        return {line.removesuffix(" \\") for line in file.read_text().splitlines() if "==" in line and line[0] != " "}

    checked = packages(REQUIREMENTS / "development.txt")
    assert len(checked) > 100
    # Packages of other systems stand there with their markers, which may be wider.
    pins = {line.partition(" ")[0] for line in checked}
    for file in REQUIREMENTS.glob("*.txt"):
        assert {line.partition(" ")[0] for line in packages(file)} <= pins, file.name
