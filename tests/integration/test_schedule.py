"""The schedule starts runs by itself."""

from __future__ import annotations

import re

from tests.integration.harness import Pipeline, wait_until


def test_the_schedule_starts_runs(scheduled: Pipeline) -> None:
    history = wait_until(lambda: scheduled.history("Watched on schedule"), 75, "a run started by the schedule")

    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", history[0]["run"])
    assert history[0]["label"] == "NOT_FOUND"
