"""How the tests share out over two processes: what shares a fixture or a module's state stays together."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.iam_linter import Lint, load_linter
from tests.support.shared_aws import shared_aws

pytest_plugins = ["tests.product"]
# They evaluate the whole program for the same stacks; a process keeps what it has evaluated.
PROGRAM = {
    "tests/components/blocks/compute/test_bundle.py",
    "tests/local/deploy/test_deployer.py",
    "tests/test_policies.py",
    "tests/test_program.py",
    "tests/test_program_settings.py",
    "tests/test_upgrade.py",
}


class FilesTogether(LoadScopeScheduling):
    """Keeps a file's tests together, those of the whole program, and those of each folder of handlers.

    Tests of handlers share imported handlers and clients of AWS.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/handlers/"):
            return file.rpartition("/")[0]
        return "program" if file in PROGRAM else file


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach the commands that tests start, and have all processes share compiled modules.

    In the background of a shell, commands would ignore Ctrl-C.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    share_bytecode(config.rootpath / "build" / "bytecode")


def share_bytecode(folder: Path) -> None:
    """Keep compiled modules in a folder, where Python is told to write none beside the sources.

    Without them, every process that a test starts compiles all that it imports again, which takes longer than most
    tests.
    """
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
        del os.environ["PYTHONDONTWRITEBYTECODE"]


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collection: it stays, and searching it again and again takes long."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether:
    """Have pytest-xdist share the tests out so; its own groups (`xdist_group`) are unknown to pytest 9.2."""
    return FilesTogether(config, log)


@pytest.fixture(scope="session")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an emulator without the product, which the test processes share: give names of your own."""
    folder = tmp_path_factory.getbasetemp()
    with shared_aws(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def lint() -> Lint:
    """An IAM linter."""
    return load_linter()
