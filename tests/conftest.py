"""How the tests share out over two processes: what shares a fixture or a module's state stays together."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

HANDLERS = "tests/handlers/"


class FilesTogether(LoadScopeScheduling):
    """Keeps a file's tests together, and all of the handlers': they import handlers with environments of theirs."""

    def _split_scope(self, nodeid: str) -> str:
        return HANDLERS if nodeid.startswith(HANDLERS) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether:
    """Have pytest-xdist share the tests out so; its own groups (`xdist_group`) are unknown to pytest 9.2."""
    return FilesTogether(config, log)
