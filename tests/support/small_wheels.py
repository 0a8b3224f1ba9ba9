"""Small wheels for tests: a folder that stands in for the package index, and a lock file of what is in it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.blocks.compute import packages


class Index:
    """A folder of wheels that pip finds instead of the package index.

    Attributes
    ----------
    folder
        Folder of the wheels.
    variables
        Environment variables that make pip use it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}

    def add(self, name: str, version: str, tags: str = "py3-none-any", files: Mapping[str, str] | None = None) -> str:
        """Make a wheel; returns its hash."""
        path = self.folder / f"{name}-{version}-{tags}.whl"
        info = f"{name}-{version}.dist-info"
        contents = {
            f"{name}/__init__.py": f"version = '{version} {tags}'",
            **(files or {}),
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tags}\n",
            f"{info}/RECORD": "",
        }
        with zipfile.ZipFile(path, "w") as wheel:
            for file, text in contents.items():
                wheel.writestr(file, text)
        return hashlib.sha256(path.read_bytes()).hexdigest()


class QuickPip:
    """Stands in for pip, which takes a second: copies the first wheel of the index with a hash that is asked for.

    Attributes
    ----------
    calls
        How often it was started.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self.calls = 0

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        hashes = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in self._index.folder.iterdir()}
        for line in Path(command[command.index("--requirement") + 1]).read_text().splitlines():
            digest = line.split("--hash=sha256:")[1].strip()
            shutil.copy(hashes[digest], command[command.index("--dest") + 1])
        return subprocess.CompletedProcess(command, 0, "", "")


def locked(requirement: str, *hashes: str) -> str:
    """Lines of a lock file."""
    return " \\\n    ".join([requirement, *(f"--hash=sha256:{digest}" for digest in hashes)]) + "\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An index that pip uses in this test."""
    made = Index(tmp_path / "index")
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def quick_pip(index: Index, monkeypatch: pytest.MonkeyPatch) -> QuickPip:
    """A stand-in for pip, for tests that do not depend on which wheel pip takes."""
    quick = QuickPip(index)
    monkeypatch.setattr(packages.subprocess, "run", quick.run)
    return quick


@pytest.fixture
def lock_file(index: Index, tmp_path: Path) -> Path:
    """The lock file of `write_lock_file`, for an index of this test's own."""
    return write_lock_file(index, tmp_path / "small.txt")


def write_lock_file(index: Index, path: Path) -> Path:
    """A universal lock file: one package for all, two versions by Python, builds by machine, one for Windows only."""
    pure = index.add("pure", "1.0", files={"pure-1.0.data/scripts/pure": "#!python\n"})
    old, new = index.add("split", "1.0"), index.add("split", "2.0")
    builds = [
        index.add("native", "1.0", f"cp{version}-cp{version}-manylinux_2_{glibc}_{machine}")
        for version in ("312", "314")
        for machine, glibc in (("x86_64", 17), ("aarch64", 28), ("aarch64", 17), ("aarch64", 39))
    ]
    windows = index.add("windows", "1.0")
    path.write_text(
        "# A comment.\n"
        + locked("native==1.0", *builds)
        + locked("pure==1.0", pure)
        + locked("split==1.0 ; python_full_version < '3.13'", old)
        + locked("split==2.0 ; python_full_version >= '3.13'", new)
        + locked("windows==1.0 ; sys_platform == 'win32'", windows)
    )
    return path
