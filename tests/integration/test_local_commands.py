"""`make demo` and `make serve` as a user runs them, and that they leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest

from local.deploy.deployer import ROOT
from tests.integration.harness import wait_until


def environment(folder: Path) -> dict[str, str]:
    """That of a user, with a folder of its own for all that is temporary."""
    tokens = str(folder.parent / "tokens")
    return {
        **os.environ,
        "COLUMNS": "120",
        "TMPDIR": str(folder),
        "NLP_STATE": str(state_file(folder)),
        "XDG_STATE_HOME": tokens,
    }


def state_file(folder: Path) -> Path:
    return folder.parent / "state.json"


def leftovers(folder: Path) -> list[str]:
    """Temporary files, and processes that work with them."""
    return [str(path) for path in folder.iterdir()] + [
        str(process) for process in Path("/proc").glob("[0-9]*") if _uses(process, folder)
    ]


def _uses(process: Path, folder: Path) -> bool:
    try:
        return str(folder).encode() in (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return False


def free_ports() -> int:
    """A port that is free, as is the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def serving(temporary: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_ports()
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(lambda: state_file(temporary).exists() or process.poll() is not None, 60, "make serve")
        yield process, port
    finally:
        process.kill()
        process.communicate()


def nlp(variables: dict[str, str], *arguments: str) -> Any:
    done = subprocess.run(
        [ROOT / "nlp", "--json", *arguments], env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_is_used_by_nlp_and_leaves_nothing_behind(
    number: signal.Signals, serving: tuple[subprocess.Popen[str], int], temporary: Path
) -> None:
    process, port = serving
    assert leftovers(temporary), "the check below would see nothing"
    assert json.loads(state_file(temporary).read_text())["endpoint"] == f"http://127.0.0.1:{port}"

    if number == signal.SIGINT:
        use_nlp(environment(temporary))

    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}" in output
    assert "export NLP_TOKEN=eyJ" in output
    assert "companies_table" in output
    assert not state_file(temporary).exists()
    wait_until(lambda: not leftovers(temporary), 5, "nothing left behind")
    with socket.socket() as free:
        # Connections that have ended may still be in TIME_WAIT; a listening socket is refused nevertheless.
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def use_nlp(variables: dict[str, str]) -> None:
    """A watch-list changes, is analysed, and its results are read; nobody has to sign in by hand."""
    before = nlp(variables, "companies", "list")
    added = nlp(variables, "companies", "add", "-i", "Fiat & Söhn / Test", "-i", "SAP")
    assert (added["added"], added["already_there"]) == (["Fiat & Söhn / Test"], ["SAP"])
    assert nlp(variables, "companies", "update", "-o", "Fiat & Söhn / Test", "-n", "Fiat & Söhne / Test")["renamed"]
    assert len(nlp(variables, "companies", "list")) == len(before) + 1
    nlp(variables, "run", "--wait")
    results = {result["company"]: result["label"] for result in nlp(variables, "observations")}
    assert results["Boeing"] == "NEGATIVE"
    assert results["Fiat & Söhne / Test"] == "NOT_FOUND"
    nlp(variables, "companies", "remove", "-i", "Fiat & Söhne / Test", "--purge")
    assert nlp(variables, "companies", "list") == before
    assert nlp(variables, "dead-letters", "list") == []


def test_the_demonstration_shows_a_whole_run(tmp_path: Path, temporary: Path) -> None:
    names = tmp_path / "few.txt"
    names.write_text("# few\nBoeing\nToyota\nMercury\n")

    done = subprocess.run(
        [sys.executable, "-m", "local", "demo", "--companies", str(names)],
        cwd=ROOT,
        env=environment(temporary),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for shown in ("Deploy the Pulumi program", "3 observed, 0 unchanged, 1 Comprehend calls", "NEGATIVE", "AMBIGUOUS"):
        assert shown in done.stdout
    assert "3 observed, 3 unchanged, 0 Comprehend calls" in done.stdout
    assert "run,observed_at,company,label" in done.stdout
    assert done.stdout.count("record the start → run on SageMaker → record the end → completed") == 2
    assert "quarterly-report.docx" in done.stdout
    assert "4 of 4 documents" in done.stdout
    translated = docx.Document(str(ROOT / ".local/demo/translate/quarterly-report.de.docx"))
    assert translated.paragraphs[0].text == "[de] Qüårtérlý répórt"
    assert "<h1>" in (ROOT / ".local/demo/analyse/report.html").read_text()
    assert leftovers(temporary) == []
