"""Exactly once under any sequence of deliveries, failures and crashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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
        published = {f"{company}@{run}" for run, company in self.pipeline.published()}
        assert done <= published, "a message is deleted only when its row is published"
        self.waiting -= done


@given(st.lists(STEPS, max_size=8))
@settings(max_examples=100)
def test_every_row_is_published_exactly_once(threads: ThreadPoolExecutor, steps: list[Any]) -> None:
    pipeline = Pipeline(threads)
    queue = Queue(pipeline)
    for messages, fault, moment, others in steps:
        if moment:
            service, operation = moment
            # Bound now: the next step has other messages.
            act = lambda others=others: queue.deliver(others)  # noqa: E731
            getattr(pipeline, service).afterwards[operation] = act
        fault(pipeline)
        queue.deliver(messages)
        assert max(Counter(pipeline.published()).values(), default=0) <= 1
    _calm_down(pipeline)
    for _ in range(2):
        pipeline.pass_claims()
        queue.deliver(MESSAGES)
    assert queue.waiting == set()
    assert pipeline.published() == sorted((run, company) for company, run in _pairs())
    assert {company: pipeline.latest(company) for company in "abc"} == {"a": NEWER_RUN, "b": NEWER_RUN, "c": RUN}


def _calm_down(pipeline: Pipeline) -> None:
    for fake in (pipeline.dynamodb, pipeline.s3, pipeline.comprehend):
        fake.failures.clear()
        fake.afterwards.clear()
    pipeline.dynamodb.cancellations.clear()


def _pairs() -> list[tuple[str, str]]:
    return [(company, run) for company, _, run in (message["messageId"].partition("@") for message in MESSAGES)]
