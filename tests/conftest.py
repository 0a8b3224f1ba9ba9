"""How the tests share out over two processes: what shares a fixture or a module's state stays together."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together, and all of the handlers': they import handlers with environments of theirs."""
    for item in items:
        path = item.path.relative_to(TESTS)
        item.add_marker(pytest.mark.xdist_group("handlers" if path.parts[0] == "handlers" else str(path)))
