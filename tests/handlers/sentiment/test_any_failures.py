"""Exactly once under any sequence of deliveries, failures and crashes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.sentiment.texts import Text
from schema.companies import is_run
from tests.handlers.aws_fakes import client_error
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN, Pipeline, failed, records

MESSAGES = records("a", "b", "c") + records("a", "b", run=NEWER_RUN)
REFUSED = client_error("ServiceUnavailable")


class Crash(BaseException):
    """Lambda ends the process: no handler catches it."""


def _crash() -> None:
    raise Crash


def _lose_the_answer() -> None:
    raise TimeoutError("the answer was lost")


def _fail(service: str, operation: str) -> Callable[[Pipeline], None]:
    return lambda pipeline: getattr(pipeline, service).failures.setdefault(operation, []).append(REFUSED)


def _after(service: str, operation: str, act: Callable[[], None]) -> Callable[[Pipeline], None]:
    return lambda pipeline: getattr(pipeline, service).afterwards.update({operation: act})


def _conflict(pipeline: Pipeline) -> None:
    pipeline.dynamodb.cancellations.append({0: "TransactionConflict"})


STORES = [
    ("dynamodb", "BatchGetItem"),
    ("dynamodb", "TransactWriteItems"),
    ("dynamodb", "UpdateItem"),
    ("s3", "PutObject"),
    ("s3", "ListObjectsV2"),
]
FAULTS: list[Callable[[Pipeline], None]] = [
    lambda _: None,
    _conflict,
    Pipeline.pass_claims,
    _fail("comprehend", "BatchDetectSentiment"),
    *(_fail(*store) for store in STORES),
    *(_after(*store, act) for store in STORES for act in (_crash, _lose_the_answer)),
]
BATCHES = st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=6)
# An invocation: its messages, its fault, and in which call of it another invocation runs from beginning to end.
STEPS = st.tuples(BATCHES, st.sampled_from(FAULTS), st.sampled_from([None, *STORES]), BATCHES)


class Queue:
    """Knows which messages were deleted, and holds the pipeline to its promise at every deletion."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.waiting = {message["messageId"] for message in MESSAGES}

    def deliver(self, messages: list[dict[str, Any]]) -> None:
        try:
            failures = set(failed(self.pipeline.deliver(messages)))
        except Crash:
            return
        done = {message["messageId"] for message in messages} - failures
        published = self.pipeline.published()
        for company, _, run in (message.partition("@") for message in done):
            assert self.pipeline.latest(company) >= run, "deleted only when its run or a newer one looked"
            if (company, run) in self.pipeline.dynamodb.items:
                assert (run, company) in published, "deleted only when its row is published"
        self.waiting -= done


def _changing_texts(title: str) -> Callable[[], Text]:
    """A text that is another one whenever it is fetched."""
    versions = itertools.count()
    return lambda: Text(f"{title} is good {(version := next(versions))}", "en", str(version))


@given(st.lists(STEPS, max_size=8), st.booleans())
@settings(max_examples=150)
def test_every_change_is_published_and_counted_once(
    threads: ThreadPoolExecutor, steps: list[Any], changing: bool
) -> None:
    pipeline = Pipeline(threads)
    if changing:
        pipeline.source.found |= {company: _changing_texts(company) for company in "abc"}
    queue = Queue(pipeline)
    for messages, fault, moment, others in steps:
        if moment:
            service, operation = moment
            # Bound now: the next step has other messages.
            act = lambda others=others: queue.deliver(others)  # noqa: E731
            getattr(pipeline, service).afterwards[operation] = act
        fault(pipeline)
        queue.deliver(messages)
        _check(pipeline)
    _calm_down(pipeline)
    for _ in range(3):
        pipeline.pass_claims()
        queue.deliver(MESSAGES)
    _check(pipeline)
    assert queue.waiting == set()
    assert pipeline.published() == _history(pipeline), "what is new in the table has its row"
    assert {company: pipeline.latest(company) for company in "abc"} == {"a": NEWER_RUN, "b": NEWER_RUN, "c": RUN}
    rows = Counter(company for _, company in pipeline.published())
    assert set(rows) == {"a", "b", "c"}
    assert changing or set(rows.values()) == {1}, "what stays the same is published once, whichever run sees it first"


def _check(pipeline: Pipeline) -> None:
    assert max(Counter(pipeline.published()).values(), default=0) <= 1
    companies = Counter(run for _, run in _pairs())
    for run in (RUN, NEWER_RUN):
        assert pipeline.counted(run)["looked_at"] <= companies[run], "no look is counted twice"


def _history(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Run and company of every observation in the table."""
    return sorted((record, company) for company, record in pipeline.dynamodb.items if is_run(record))


def _calm_down(pipeline: Pipeline) -> None:
    for fake in (pipeline.dynamodb, pipeline.s3, pipeline.comprehend):
        fake.failures.clear()
        fake.afterwards.clear()
    pipeline.dynamodb.cancellations.clear()


def _pairs() -> list[tuple[str, str]]:
    return [(company, run) for company, _, run in (message["messageId"].partition("@") for message in MESSAGES)]
