"""Wheels of a batch program: pinned, for the container's platform, downloaded once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.blocks.compute import wheels
from components.blocks.compute.wheels import WheelsError, download_wheels


class Pip:
    """Stands in for pip: notes its commands, and downloads a small wheel or fails."""

    def __init__(self) -> None:
        self.stderr = ""
        self.commands: list[list[str]] = []

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        folder.mkdir()
        (folder / "small-1.0-py3-none-any.whl").write_text("wheel")
        return subprocess.CompletedProcess(command, 1 if self.stderr else 0, "", self.stderr)


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    pip = Pip()
    monkeypatch.setattr(wheels.subprocess, "run", pip.run)
    return pip


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    lock_file = tmp_path / "batch.txt"
    lock_file.write_text("small==1.0 --hash=sha256:00\n")
    return lock_file


def test_pinned_wheels_of_the_platform_are_downloaded(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    folder = download_wheels(lock_file, "3.12", folder=tmp_path / "wheels")
    (command,) = pip.commands
    platforms = [word.partition("=")[2] for word in command if word.startswith("--platform=")]
    assert [path.name for path in folder.iterdir()] == ["small-1.0-py3-none-any.whl"]
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(command)
    assert command[command.index("--python-version") + 1] == "3.12"
    assert {"manylinux_2_35_x86_64", "manylinux2014_x86_64"} <= set(platforms)
    assert command[-2:] == ["--requirement", str(lock_file)]


def test_wheels_that_are_there_are_used_again(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    first = download_wheels(lock_file, "3.12", folder=tmp_path / "wheels")
    assert download_wheels(lock_file, "3.12", folder=tmp_path / "wheels") == first
    assert len(pip.commands) == 1
    assert list((tmp_path / "wheels").iterdir()) == [first]


def test_each_lock_file_and_platform_has_wheels_of_its_own(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    folders = {download_wheels(lock_file, version, folder=tmp_path / "wheels") for version in ("3.11", "3.12")}
    folders.add(download_wheels(lock_file, "3.12", "aarch64", tmp_path / "wheels"))
    lock_file.write_text("small==1.1 --hash=sha256:11\n")
    folders.add(download_wheels(lock_file, "3.12", folder=tmp_path / "wheels"))
    assert len(folders) == 4


def test_failure_has_pips_words_and_leaves_nothing(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    pip.stderr = "ERROR: No matching distribution found for small==1.0"
    with pytest.raises(WheelsError, match=r"batch\.txt for Python 3\.12 on x86_64:\nERROR: No matching distribution"):
        download_wheels(lock_file, "3.12", folder=tmp_path / "wheels")
    assert list((tmp_path / "wheels").iterdir()) == []
