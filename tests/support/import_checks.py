"""Checks that files which are deployed together have all that they import."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PROJECT_PACKAGES = {"handlers", "schema"}
_IMPORT_ALL = """
import importlib, sys
folder, *names = sys.argv[1:]
sys.path.insert(0, folder)
for name in names:
    module = importlib.import_module(name)
    assert module.__file__.startswith(folder), module
"""


def missing_modules(files: Mapping[str, Path]) -> set[str]:
    """Modules of the project that import statements anywhere in the files name, and that are not among the files."""
    return {module for path in files.values() for module in _imported(path)} - {module_name(name) for name in files}


@cache
def _imported(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    modules: set[str] = set()
    for node in set(ast.walk(tree)) - _only_for_types(tree):
        if isinstance(node, ast.Import):
            modules |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules.add(node.module or "")
    return frozenset(name for name in modules if name.partition(".")[0] in PROJECT_PACKAGES)


def _only_for_types(tree: ast.Module) -> set[ast.AST]:
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {node for guard in guards for statement in guard.body for node in ast.walk(statement)}


def import_alone(files: Mapping[str, Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Import every one of the files in a process that has only them, and installed packages, on its path.

    Returns
    -------
    What the process wrote on its standard error; nothing when all went well.
    """
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
    variables = {**os.environ, "PYTHONSAFEPATH": "1", "AWS_DEFAULT_REGION": "eu-central-1", **(environment or {})}
    variables.pop("PYTHONPATH", None)
    command = [sys.executable, "-c", _IMPORT_ALL, str(folder), *(module_name(name) for name in files)]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    return done.stderr


def module_name(file: str) -> str:
    """Name of the module in a file such as `handlers/common/__init__.py`."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
