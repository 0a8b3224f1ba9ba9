"""Fixtures of the sentiment handlers' tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.handlers.sentiment.pipeline import Pipeline
from tests.handlers.sentiment.store import Store
from tests.handlers.sentiment.watch import Watch


@pytest.fixture
def pipeline(threads: ThreadPoolExecutor) -> Pipeline:
    return Pipeline(threads)


@pytest.fixture
def store(threads: ThreadPoolExecutor) -> Store:
    return Store(threads)


@pytest.fixture
def watch(threads: ThreadPoolExecutor) -> Watch:
    return Watch(threads)
