"""Finding and building the command-line tool, with a stand-in for Go; needs no engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine import pulumi_cli
from tests.engine.project import ROOT
from tests.engine.pulumi_cli import FOLDER_VARIABLE, VERSION, NoPulumiError

# Says a version, and "builds" for a moment; notes each call.
GO = """#!/bin/sh
echo "$@" >> "$GO_CALLS"
case "$1" in
env) echo go{version} ;;
build) sleep 0.5; echo built > pulumi.unfinished ;;
{failing}) echo "first line" >&2; echo "there is no network" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the path, with the system's own tools; what is built goes beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("GO_CALLS", str(tmp_path / "calls"))
    return folder


def put(folder: Path, name: str, text: str) -> Path:
    program = folder / name
    program.write_text(text)
    program.chmod(0o755)
    return program


def put_go(folder: Path, version: str = "1.26.1", failing: str = "nothing") -> Path:
    return put(folder, "go", GO.format(version=version, failing=failing))


def test_the_tool_of_the_path_is_taken(path: Path) -> None:
    tool = put(path, "pulumi", "#!/bin/sh\n")
    assert pulumi_cli.pulumi_cli() == tool


def test_without_go_there_is_a_reason(path: Path) -> None:
    with pytest.raises(NoPulumiError, match="Neither `pulumi` nor `go` is on the path"):
        pulumi_cli.pulumi_cli()


@pytest.mark.parametrize("version", ["1.24.9", "0.30"])
def test_an_old_go_is_a_reason(path: Path, version: str) -> None:
    put_go(path, version)
    with pytest.raises(NoPulumiError, match=rf"takes Go 1.25 or newer, not go{version}"):
        pulumi_cli.pulumi_cli()


def test_a_failure_tells_the_last_line_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    put_go(path, failing="get")
    with pytest.raises(NoPulumiError, match="downloading modules failed: there is no network"):
        pulumi_cli.pulumi_cli()
    assert not (tmp_path / "cache" / "pulumi").exists()


def test_the_tool_is_built_once_and_says_so(path: Path, tmp_path: Path) -> None:
    put_go(path)
    said: list[str] = []
    assert pulumi_cli.pulumi_cli(said.append) == tmp_path / "cache" / "pulumi"
    assert any("compiling" in message for message in said)
    calls = (tmp_path / "calls").read_text()
    assert f"version.Version=v{VERSION}" in calls
    pulumi_cli.pulumi_cli()
    assert (tmp_path / "calls").read_text() == calls


def test_processes_that_need_it_at_once_build_it_once(path: Path, tmp_path: Path) -> None:
    put_go(path)
    command = [sys.executable, "-m", "tests.engine.pulumi_cli"]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in processes] == [str(tmp_path / "cache" / "pulumi")] * 2
    assert (tmp_path / "calls").read_text().count("build ") == 1


def test_it_is_kept_outside_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert pulumi_cli.build_folder().parts[-3:] == (".cache", "cloud-nlp", f"pulumi-{VERSION}")
