"""Fixtures of the handlers' tests."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from logging import StreamHandler
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from handlers.common import logs

# A busy machine is not a defect, and examples that failed are to be written down as tests of their own.
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("handlers", deadline=None, database=None, suppress_health_check=SLOW)
settings.load_profile("handlers")

LogLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=32) as pool:
        yield pool


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> LogLines:
    """What was logged so far, each line read as the JSON object it has to be."""
    out = io.StringIO()
    handler = logs.logger.handlers[0]  # pytest appends its own
    assert isinstance(handler, StreamHandler)
    monkeypatch.setattr(handler, "stream", out)
    monkeypatch.setattr(logs, "_context", {})
    return lambda: [json.loads(line) for line in out.getvalue().splitlines()]
