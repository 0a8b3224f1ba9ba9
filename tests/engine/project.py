"""Copies of the project in folders of their own, and running the program of one of them in this process."""

from __future__ import annotations

import importlib
import os
import runpy
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
# What is made again anywhere, or is none of the program's business.
_LEFT_OUT = shutil.ignore_patterns(".*", "build", "tests", "bench", "__pycache__", "*.egg-info")
# Archives of packages, which are fetched once: the package index is not part of what is tested here.
_FETCHED = "build"
_A_DAY = 24 * 3600


@dataclass(frozen=True)
class Project:
    """A copy of the project.

    Attributes
    ----------
    folder
        Where it is.
    """

    folder: Path

    def append(self, file: str, text: str) -> None:
        """Write a text at the end of a file."""
        path = self.folder / file
        path.write_text(path.read_text() + text)

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text that is in a file once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def run(self) -> None:
        """Run the program in this process, as Pulumi's language host runs it in one of its own."""
        with self.imports():
            self.run_imported()

    def run_imported(self) -> None:
        """Run the program within `imports`, where its packages may have been changed."""
        runpy.run_path(str(self.folder / "__main__.py"), run_name="__main__")

    @contextmanager
    def imports(self) -> Iterator[None]:
        """Have the project's packages imported from this copy, whichever copy they were imported from before."""
        names = {path.stem for path in self.folder.iterdir() if path.is_dir() or path.suffix == ".py"}
        others = _taken_out(names)
        sys.path.insert(0, str(self.folder))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(self.folder))
            _taken_out(names)
            sys.modules.update(others)


def _taken_out(names: set[str]) -> dict[str, ModuleType]:
    """Take packages with these names, and what is below them, out of the modules that are imported."""
    found = [name for name in sys.modules if name.partition(".")[0] in names and name != "__main__"]
    return {name: sys.modules.pop(name) for name in found}


def copy_project(folder: Path, source: Path = ROOT) -> Project:
    """Copy the project, as it is in the working tree, to a folder that does not exist yet.

    Archives of packages that are fetched on the way are kept in the project's own `build`, for the next copy.
    """
    shutil.copytree(source, folder, ignore=_LEFT_OUT)
    (ROOT / _FETCHED).mkdir(exist_ok=True)
    (folder / _FETCHED).symlink_to(ROOT / _FETCHED)
    return Project(folder)


def copy_elsewhere(project: Project, folder: Path) -> Project:
    """Copy a copy, packages included, and give every file another time."""
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("__pycache__", _FETCHED))
    # Temporary folders belong to processes that are fetching packages now, and vanish meanwhile.
    shutil.copytree(project.folder / _FETCHED, folder / _FETCHED, ignore=shutil.ignore_patterns("tmp*"))
    earlier = time.time() - _A_DAY
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (earlier + number, earlier + number))
    return Project(folder)
