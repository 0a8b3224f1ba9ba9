"""Runs within Wikipedia's limits, simulated: how long they take, and that nobody is refused."""

from __future__ import annotations

import pytest

from bench.freshness import Simulation


@pytest.mark.parametrize(
    ("companies", "per_minute", "first_seconds", "later_seconds"),
    [(67, 10, 60, 30), (1000, 10, 600, 180), (5000, 10, 2400, 900), (67, 200, 10, 10), (5000, 200, 180, 90)],
)
def test_runs_end_in_time_and_nobody_is_refused(
    companies: int, per_minute: int, first_seconds: float, later_seconds: float
) -> None:
    simulation = Simulation(companies, per_minute)
    first, later = simulation.run(), simulation.run()
    assert first.refused == later.refused == 0
    assert first.seconds < first_seconds
    assert later.seconds < later_seconds
    assert first.requests <= 0.15 * companies
    assert later.requests <= 0.05 * companies


def test_batches_that_are_not_full_are_within_the_limits_too() -> None:
    simulation = Simulation(1000, 10, batch_size=17)
    first, later = simulation.run(), simulation.run()
    assert first.refused == later.refused == 0
    assert later.requests == 59
