"""A copy of the project, to which tests add what a developer would add."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.pulumi_mocks import ROOT_FOLDER

# What is not the project's source.
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build")


class ProjectCopy:
    """A copy of the project's files.

    Parameters
    ----------
    folder
        The copy's folder, which does not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT_FOLDER, folder, ignore=_LEFT_OUT)
        self._before = self._contents()

    def write(self, path: str, text: str) -> None:
        """Add a file."""
        (self.folder / path).write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a file in one place."""
        file = self.folder / path
        text = file.read_text()
        assert text.count(old) == 1, (path, old)
        file.write_text(text.replace(old, new))

    def touched(self) -> set[str]:
        """Files that were added or edited."""
        return {path for path, content in self._contents().items() if self._before.get(path) != content}

    def run(self, code: str, **environment: str) -> str:
        """Run Python code in the copy; returns what it prints."""
        command = [sys.executable, "-B", "-c", code]
        ran = subprocess.run(
            command, cwd=self.folder, env=os.environ | environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def _contents(self) -> dict[str, bytes]:
        paths = (path for path in self.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}
