"""How the tests share out over two processes: what shares a fixture or a module's state stays together."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.cli_aws import running_aws
from tests.support.iam_linter import Lint, load_linter

HANDLERS = "tests/handlers/"


class FilesTogether(LoadScopeScheduling):
    """Keeps a file's tests together, and all of the handlers': they import handlers with environments of theirs."""

    def _split_scope(self, nodeid: str) -> str:
        return HANDLERS if nodeid.startswith(HANDLERS) else nodeid.partition("::")[0]


def pytest_configure() -> None:
    """Let Ctrl-C reach the commands that tests start; in the background of a shell they would ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    """The endpoint of an emulator without the product, which runs until the last test of this process has ended."""
    with running_aws(tmp_path_factory.mktemp("aws")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def lint() -> Lint:
    """An IAM linter."""
    return load_linter()
