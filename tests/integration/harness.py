"""Drives the deployed pipeline from outside, as its users and its environment do."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from local.demo.pipeline_client import (
    add_companies,
    batch_objects,
    follow_run,
    read_object,
    result_objects,
    start_run,
)
from local.deploy.stack import LocalStack
from schema.companies import BATCH_COLUMNS
from schema.csv_rows import read_rows
from schema.dynamodb import decode

_NAME = {"ExpressionAttributeNames": {"#name": "name"}}
_runs = itertools.count(1)


def new_run() -> str:
    """A run id that no other test uses; later ones sort behind earlier ones."""
    started_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_runs))
    return f"{started_at:%Y%m%dT%H%M%SZ}-0123abcd"


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


class Pipeline:
    """The deployed pipeline: what goes in, what comes out, and what lies in its queues."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.outputs = stack.outputs
        self.control = stack.aws.control

    def client(self, service: str) -> Any:
        return self.stack.aws.client(service)

    def add(self, names: Iterable[str]) -> None:
        add_companies(self.stack, names)

    def clear(self) -> None:
        """Leave nothing for the next test to trip over, whoever put it there."""
        self.control.clear()
        self.set_budget()
        dynamodb, table = self.client("dynamodb"), self.outputs["companies_table"]
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="#name", **_NAME)
        names = [item["name"] for page in pages for item in page["Items"]]
        for start in range(0, len(names), 25):
            deletes = [{"DeleteRequest": {"Key": {"name": name}}} for name in names[start : start + 25]]
            dynamodb.batch_write_item(RequestItems={table: deletes})
        for queue in ("work_queue_url", "dead_letter_queue_url", "dispatch_failures_queue_url"):
            self.client("sqs").purge_queue(QueueUrl=self.outputs[queue])

    def set_budget(self, **times: float) -> None:
        """Set the item of the budget of requests to the text source; without times, requests can be made at once."""
        [table] = [
            one.id for one in self.stack.deployment.resources if one.name == "sentiment-budget" and "Table" in one.type
        ]
        key = {"name": {"S": "text-source"}}
        self.client("dynamodb").delete_item(TableName=table, Key=key)
        if times:
            item = {**key, **{name: {"N": f"{value:.3f}"} for name, value in times.items()}}
            self.client("dynamodb").put_item(TableName=table, Item=item)

    def start(self, run: str | None = None) -> dict[str, Any]:
        return start_run(self.stack, run or new_run())

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.client("sqs").send_message(QueueUrl=self.outputs["work_queue_url"], MessageBody=body)

    def send_work(self, run: str, *names: str) -> None:
        self.send(*(json.dumps({"run": run, "company": name}) for name in names))

    def follow(self, run: str, names: list[str], seconds: float = 60) -> dict[str, dict[str, Any]]:
        """Wait for observations; returns them by company, as plain values."""
        items = follow_run(self.stack, run, names, timeout_seconds=seconds)
        return {item["company"]["S"]: plain(item) for item in items}

    def rows(self, run: str) -> list[dict[str, str]]:
        """All rows of a run in all result objects."""
        return self._table(result_objects(self.stack, run))

    def counted(self, run: str) -> Counter[str]:
        """The summaries of a run's batches, added up."""
        total: Counter[str] = Counter()
        for row in self._table(batch_objects(self.stack, run)):
            total.update({name: int(row[name]) for name in BATCH_COLUMNS[2:]})
        return total

    def _table(self, keys: list[str]) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        for key in keys:
            (_, header), *rows = read_rows(read_object(self.stack, key))
            found += [dict(zip(header, row, strict=True)) for _, row in rows]
        return found

    def rows_of(self, run: str, count: int, seconds: float = 30) -> list[dict[str, str]]:
        """The rows of a run, once there are as many as expected."""
        wait_until(lambda: len(self.rows(run)) >= count, seconds, f"{count} rows of {run}")
        return self.rows(run)

    def latest(self, company: str) -> dict[str, Any]:
        key = {"company": {"S": company}, "record": {"S": "latest"}}
        return plain(self.client("dynamodb").get_item(TableName=self.outputs["observations_table"], Key=key)["Item"])

    def text(self, text_hash: str) -> str:
        """The stored text behind a hash."""
        key = {"company": {"S": f"text#{text_hash}"}, "record": {"S": "text"}}
        table = self.outputs["observations_table"]
        return plain(self.client("dynamodb").get_item(TableName=table, Key=key)["Item"])["content"]

    def history(self, company: str) -> list[dict[str, Any]]:
        answer = self.client("dynamodb").query(
            TableName=self.outputs["observations_table"],
            KeyConditionExpression="company = :company AND #record < :latest",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":company": {"S": company}, ":latest": {"S": "latest"}},
        )
        return [plain(item) for item in answer["Items"]]

    def waiting(self, queue: str = "work_queue_url") -> int:
        """Messages in a queue: visible, in flight or delayed."""
        names = ["", "NotVisible", "Delayed"]
        attributes = [f"ApproximateNumberOfMessages{name}" for name in names]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=attributes)
        return sum(int(value) for value in answer["Attributes"].values())

    def idle(self, seconds: float = 30) -> None:
        """Wait until the work queue is empty."""
        wait_until(lambda: self.waiting() == 0, seconds, "an empty work queue")

    def dead_letters(self) -> list[str]:
        """Bodies of the dead letters, without taking them."""
        url = self.outputs["dead_letter_queue_url"]
        answer = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in answer.get("Messages", [])]

    def logs(self, function: str) -> list[dict[str, Any]]:
        """The JSON lines a function has logged."""
        name = self.outputs[f"{function}_function"]
        config = self.client("lambda").get_function_configuration(FunctionName=name)
        group = config["LoggingConfig"]["LogGroup"]
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [line for page in pages for event in page["events"] for line in event["message"].splitlines()]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def reasons(self, company: str) -> list[str]:
        """Why a company could not be observed, from the log."""
        return [line["reason"] for line in self.logs("analyse") if line.get("company") == company and "reason" in line]

    def comprehend_calls(self) -> int:
        return sum(self.control.requests().get("comprehend", {}).values())


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """Turn a DynamoDB item into plain values."""
    return decode(item)
