"""One run of a deployed system over a watch-list: how long it takes, and what its functions ask of AWS."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.naive.stack import NaiveStack, count_results, deploy_naive
from local.embedded_aws import EmbeddedAws
from local.pipeline import follow_run
from local.stack import LocalStack, deploy_to

# Of Amazon Comprehend and of Wikipedia's REST interface, as the embedded AWS imitates them.
COMPREHEND_SECONDS = 0.05
TEXT_SECONDS = 0.1
SERVICES = ("dynamodb", "sqs", "comprehend", "s3")

_POLL_SECONDS = 0.05
_WRITE_BATCH = 25
_TIMEOUT_SECONDS = 900
# The event source reads the queue inside the embedded AWS, so this request is only ever the benchmark's own.
_OWN_REQUEST = ("sqs", "GetQueueAttributes")
_WARM_UP_COMPANIES = 500

_numbers = itertools.count()
_runs = itertools.count()


class BenchmarkError(RuntimeError):
    """A system did not do what is being measured; there is nothing to report."""


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes
    ----------
    companies
        How many there were.
    seconds
        From the start until every company was observed and the queue was empty.
    requests
        Requests of the functions to DynamoDB, SQS, Comprehend and S3 together.
    comprehend_calls
        Those to Comprehend.
    """

    companies: int
    seconds: float
    requests: int
    comprehend_calls: int

    @property
    def requests_per_company(self) -> float:
        """Requests for each company."""
        return self.requests / self.companies


@dataclass
class System:
    """A deployed system under measurement.

    Attributes
    ----------
    aws
        Where it is deployed.
    table, queue_url, function
        Table of companies, queue between the functions, function that starts a run.
    check
        Raises an exception unless every company was observed; gets the run and the names.
    """

    aws: EmbeddedAws
    table: str
    queue_url: str
    function: str
    check: Callable[[str, list[str]], None]

    def watch(self, count: int) -> list[str]:
        """Replace the watch-list with companies that were never seen before; returns their names."""
        names = [f"Company {number:06d}" for number in itertools.islice(_numbers, count)]
        pages = self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=self.table)
        old = [item["name"] for page in pages for item in page["Items"]]
        self._write([{"DeleteRequest": {"Key": {"name": name}}} for name in old])
        self._write([{"PutRequest": {"Item": {"name": {"S": name}}}} for name in names])
        return names

    def run(self, companies: list[str]) -> Run:
        """Start a run as the schedule does, wait for its end and check it.

        Raises
        ------
        BenchmarkError
            It did not end in time, or left a company out.
        """
        run = f"20260101T{next(_runs):06d}Z-0123abcd"
        requests, texts = self.aws.control.requests(), self.aws.control.text_requests()
        started = time.perf_counter()
        self.aws.client("lambda").invoke(
            FunctionName=self.function, InvocationType="Event", Payload=json.dumps({"run": run}).encode()
        )
        # The text source counts outside the AWS that is being measured. Each company is asked for once, so afterwards
        # all messages have been sent, and the queue is empty when the last one has been worked on.
        self._wait(lambda: self.aws.control.text_requests() - texts >= len(companies), started)
        self._wait(self._is_queue_empty, started)
        seconds = time.perf_counter() - started
        made = dict(_difference(self.aws.control.requests(), requests))
        self.check(run, companies)
        return Run(
            companies=len(companies),
            seconds=seconds,
            requests=sum(count for (service, _), count in made.items() if service in SERVICES),
            comprehend_calls=sum(count for (service, _), count in made.items() if service == "comprehend"),
        )

    def first_run(self, count: int) -> Run:
        """Measure a run over companies that were never seen before."""
        return self.run(self.watch(count))

    def warm_up(self) -> None:
        """Have the embedded AWS start all the processes it runs the functions in, and the caches fill."""
        for _ in range(2):
            self.first_run(_WARM_UP_COMPANIES)

    def _write(self, writes: list[dict[str, Any]]) -> None:
        dynamodb = self.aws.client("dynamodb")
        for start in range(0, len(writes), _WRITE_BATCH):
            dynamodb.batch_write_item(RequestItems={self.table: writes[start : start + _WRITE_BATCH]})

    def _is_queue_empty(self) -> bool:
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
        answer = self.aws.client("sqs").get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return not any(int(value) for value in answer["Attributes"].values())

    def _wait(self, condition: Callable[[], bool], started: float) -> None:
        while not condition():
            if time.perf_counter() - started > _TIMEOUT_SECONDS:
                raise BenchmarkError(f"{self.function}: the run did not end within {_TIMEOUT_SECONDS} s")
            time.sleep(_POLL_SECONDS)


def deploy_product(aws: EmbeddedAws) -> System:
    """Deploy this project as `make demo` does."""
    stack = deploy_to(aws)
    outputs = stack.outputs

    def check(run: str, companies: list[str]) -> None:
        _check_product(stack, run, companies)

    return System(aws, outputs["companies_table"], outputs["work_queue_url"], outputs["dispatch_function"], check)


def deploy_baseline(aws: EmbeddedAws) -> tuple[System, NaiveStack]:
    """Deploy the naive baseline."""
    stack = deploy_naive(aws)
    written = count_results(aws, stack)

    def check(_run: str, companies: list[str]) -> None:
        nonlocal written
        before, written = written, count_results(aws, stack)
        if written - before != len(companies):
            raise BenchmarkError(f"baseline: {written - before} results for {len(companies)} companies")

    return System(aws, stack.table, stack.queue_url, stack.producer, check), stack


def set_latencies(aws: EmbeddedAws) -> None:
    """Make up a text for every company, and have Comprehend and the text source take their time."""
    aws.control.generate_texts()
    aws.control.set_latency("comprehend", COMPREHEND_SECONDS)
    aws.control.set_text_latency(TEXT_SECONDS)


def _check_product(stack: LocalStack, run: str, companies: list[str]) -> None:
    labels = {item["label"]["S"] for item in follow_run(stack, run, companies, timeout_seconds=0)}
    if not labels <= {"POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"}:
        raise BenchmarkError(f"{run}: not every company was analysed, labels are {sorted(labels)}")


def _difference(
    after: dict[str, dict[str, int]], before: dict[str, dict[str, int]]
) -> Iterator[tuple[tuple[str, str], int]]:
    for service, operations in after.items():
        for operation, count in operations.items():
            if (service, operation) != _OWN_REQUEST:
                yield (service, operation), count - before.get(service, {}).get(operation, 0)
