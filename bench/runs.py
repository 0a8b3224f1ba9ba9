"""One run of a deployed system over a watch-list: how long it takes, and what its functions ask of AWS."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.aws.embedded_aws import EmbeddedAws

# The services whose requests are counted; AWS charges for each of them.
SERVICES = ("dynamodb", "sqs", "comprehend", "s3")

_POLL_SECONDS = 0.05
_WRITE_BATCH = 25
_TIMEOUT_SECONDS = 900
# The event source reads the queue inside the embedded AWS, so this request is only ever the benchmark's own.
_OWN_REQUEST = ("sqs", "GetQueueAttributes")
_BILLED = re.compile(r"Billed Duration: (\d+) ms")
_WRITE_UNITS = re.compile(r'"write_units": "([0-9.e+]+)"')

Counts = Mapping[str, Mapping[str, int]]

_numbers = itertools.count()
_runs = itertools.count()
_FIRST_RUN = datetime(2026, 1, 1, tzinfo=UTC)


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
    text_requests
        Requests to the text source.
    billed_seconds
        Durations of all the functions' invocations together.
    batches
        Batches that said in the log what they did; the product's do.
    objects
        Objects that were written to S3.
    write_units
        Write units that DynamoDB charged for, of all batches together.
    """

    companies: int
    seconds: float
    requests: int
    comprehend_calls: int
    text_requests: int
    billed_seconds: float
    batches: int
    objects: int
    write_units: float

    @property
    def requests_per_company(self) -> float:
        """Requests for each company."""
        return self.requests / self.companies


@dataclass(frozen=True)
class System:
    """A deployed system under measurement.

    Attributes
    ----------
    aws
        Where it is deployed.
    table, queue_url
        Table of companies, and queue between the functions.
    functions
        Names of its functions; the first starts a run.
    check
        Raises an exception unless every company was observed; gets the run and the names.
    """

    aws: EmbeddedAws
    table: str
    queue_url: str
    functions: tuple[str, ...]
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
        """Start a run as a schedule does, wait for its end and check it.

        Parameters
        ----------
        companies
            The names on the watch-list.

        Raises
        ------
        BenchmarkError
            It did not end in time, or left a company out.
        """
        run = f"{_FIRST_RUN + timedelta(seconds=next(_runs)):%Y%m%dT%H%M%SZ}-0123abcd"
        control = self.aws.control
        requests, since = control.requests(), int(time.time() * 1000)
        control.reset_text_counts()
        started = time.perf_counter()
        self.aws.client("lambda").invoke(
            FunctionName=self.functions[0], InvocationType="Event", Payload=json.dumps({"run": run}).encode()
        )
        # The text source counts outside the AWS that is being measured. When each company was asked for, all messages
        # have been sent, and the queue is empty when the last of them has been worked on.
        self._wait(lambda: control.text_counts()["titles"] >= len(companies), started)
        self._wait(self._is_queue_empty, started)
        seconds = time.perf_counter() - started
        made = list(_difference(control.requests(), requests))
        self.check(run, companies)
        lines = [line for function in self.functions for line in self._log(function, since)]
        units = [float(units[1]) for line in lines if run in line and (units := _WRITE_UNITS.search(line))]
        return Run(
            companies=len(companies),
            seconds=seconds,
            requests=sum(count for service, _, count in made if service in SERVICES),
            comprehend_calls=sum(count for service, _, count in made if service == "comprehend"),
            text_requests=control.text_requests(),
            billed_seconds=sum(int(billed[1]) for line in lines if (billed := _BILLED.search(line))) / 1000,
            batches=len(units),
            objects=sum(count for service, operation, count in made if (service, operation) == ("s3", "PutObject")),
            write_units=sum(units),
        )

    def first_run(self, count: int) -> Run:
        """Measure a run over companies that were never seen before."""
        return self.run(self.watch(count))

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
                raise BenchmarkError(f"{self.functions[0]}: the run did not end within {_TIMEOUT_SECONDS} s")
            time.sleep(_POLL_SECONDS)

    def _log(self, function: str, since: int) -> list[str]:
        """Read a function's log since a time in milliseconds."""
        configuration = self.aws.client("lambda").get_function_configuration(FunctionName=function)
        group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"
        pages = self.aws.client("logs").get_paginator("filter_log_events")
        events = (event for page in pages.paginate(logGroupName=group, startTime=since) for event in page["events"])
        return [line for event in events for line in event["message"].splitlines()]


def _difference(after: Counts, before: Counts) -> Iterator[tuple[str, str, int]]:
    """Tell how many requests of each kind were made in between, the benchmark's own left out."""
    for service, operations in after.items():
        for operation, count in operations.items():
            if (service, operation) != _OWN_REQUEST:
                yield service, operation, count - before.get(service, {}).get(operation, 0)
