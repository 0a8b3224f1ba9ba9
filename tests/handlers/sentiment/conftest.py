"""Fixtures of the sentiment handlers' tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.handlers.sentiment.pipeline import Pipeline


@pytest.fixture
def pipeline(threads: ThreadPoolExecutor) -> Pipeline:
    return Pipeline(threads)
