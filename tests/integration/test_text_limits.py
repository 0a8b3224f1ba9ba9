"""Wikipedia's limits, enforced: the functions share one budget, nobody is refused, and no company is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from schema.wikipedia import REQUESTS_AT_ONCE, REQUESTS_PER_MINUTE_WITH_CONTACT
from tests.integration.harness import Pipeline

CONTACT = "ops@example.com"
_names = count(60_000)


@contextmanager
def limited(pipeline: Pipeline, per_minute: int, contact: str = CONTACT) -> Iterator[None]:
    """Deploy the functions as for Wikipedia: a limit on requests, and as many batches at once as requests."""
    lambda_, name = pipeline.client("lambda"), pipeline.outputs["analyse_function"]
    before = lambda_.get_function_configuration(FunctionName=name)
    variables = before["Environment"]["Variables"]
    [mapping] = lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]

    def configure(variables: dict[str, str], seconds: int, batches: int) -> None:
        changes: Any = {"Environment": {"Variables": variables}, "Timeout": seconds}
        lambda_.update_function_configuration(FunctionName=name, **changes)
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": batches})
        pipeline.set_budget()

    changed = {"TEXT_REQUESTS_PER_MINUTE": str(per_minute), "CONTACT": contact}
    configure({**variables, **changed}, 20, REQUESTS_AT_ONCE)
    try:
        yield
    finally:
        configure(variables, before["Timeout"], mapping["ScalingConfig"]["MaximumConcurrency"])


def generated(pipeline: Pipeline, companies: int) -> list[str]:
    """Watch companies that have a text and were never observed."""
    pipeline.control.generate_texts()
    names = [f"Company {next(_names)}" for _ in range(companies)]
    pipeline.add(names)
    return names


def observe(pipeline: Pipeline, names: list[str], seconds: float) -> dict[str, int]:
    """Run the pipeline to its end; returns what the text source counted."""
    pipeline.control.reset_text_counts()
    run = pipeline.start()["run"]
    observations = pipeline.follow(run, names, seconds=seconds)
    pipeline.idle()
    assert {observation["label"] for observation in observations.values()} <= {
        "POSITIVE",
        "NEGATIVE",
        "NEUTRAL",
        "MIXED",
    }
    assert pipeline.waiting("dead_letter_queue_url") == 0
    failed = [line for line in pipeline.logs("analyse") if line.get("message") == "message failed"]
    assert [line for line in failed if line.get("run") == run] == []
    return pipeline.control.text_counts()


@pytest.mark.parametrize(("companies", "per_minute"), [(67, 30), (1000, REQUESTS_PER_MINUTE_WITH_CONTACT)])
def test_functions_share_one_budget_and_nobody_is_refused(pipeline: Pipeline, companies: int, per_minute: int) -> None:
    names = generated(pipeline, companies)
    with limited(pipeline, per_minute):
        pipeline.control.limit_texts(per_minute_with_contact=per_minute, at_once=REQUESTS_AT_ONCE)

        first = observe(pipeline, names, seconds=200)
        second = observe(pipeline, names, seconds=200)

    assert first["refused"] == second["refused"] == 0
    assert first["most_at_once"] <= REQUESTS_AT_ONCE
    assert first["requests"] <= 0.15 * companies
    assert second["requests"] <= 0.05 * companies


def test_budget_that_is_too_large_pauses_everybody_and_loses_nobody(pipeline: Pipeline) -> None:
    """As where another stack of the same operator uses the limit, too."""
    names = generated(pipeline, 300)
    with limited(pipeline, per_minute=6000):
        pipeline.control.limit_texts(per_minute_with_contact=8, minute_seconds=5)

        started = time.monotonic()
        counts = observe(pipeline, names, seconds=120)
        seconds = time.monotonic() - started

    assert 1 <= counts["refused"] <= REQUESTS_AT_ONCE * (seconds / 3 + 1), "a refusal or few per pause"
    assert counts["requests"] <= 0.25 * len(names)


def test_operator_without_a_contact_gets_less(pipeline: Pipeline) -> None:
    names = generated(pipeline, 40)
    with limited(pipeline, per_minute=40, contact="no contact given"):
        pipeline.control.limit_texts(per_minute=40, per_minute_with_contact=0)
        assert observe(pipeline, names, seconds=60)["refused"] == 0


def test_each_company_is_observed_once_though_messages_are_put_back(pipeline: Pipeline) -> None:
    names = generated(pipeline, 120)
    with limited(pipeline, per_minute=20):
        pipeline.control.limit_texts(per_minute_with_contact=20)
        run = pipeline.start()["run"]
        pipeline.follow(run, names, seconds=120)
        pipeline.idle()
        assert Counter(row["company"] for row in pipeline.rows(run)) == Counter(names)
        assert pipeline.control.text_counts()["refused"] == 0
