"""Using the deployed sentiment pipeline as its users do: companies in, a run, results out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from local.deploy.stack import LocalStack

# DynamoDB: at most 25 items a BatchWriteItem, 100 keys a BatchGetItem.
_WRITE_BATCH = 25
_READ_BATCH = 100


class RunError(RuntimeError):
    """A run did not come to its end."""


def add_companies(stack: LocalStack, names: Iterable[str]) -> None:
    """Put companies into the table."""
    dynamodb = stack.aws.client("dynamodb")
    table = stack.outputs["companies_table"]
    puts = [{"PutRequest": {"Item": {"name": {"S": name}, "added_at": {"S": _now()}}}} for name in dict.fromkeys(names)]
    for start in range(0, len(puts), _WRITE_BATCH):
        waiting = puts[start : start + _WRITE_BATCH]
        while waiting:
            answer = dynamodb.batch_write_item(RequestItems={table: waiting})
            waiting = answer["UnprocessedItems"].get(table, [])


def start_run(stack: LocalStack, run: str | None = None) -> dict[str, Any]:
    """Start a run and return what `dispatch` answers.

    Raises
    ------
    RunError
        It failed; the message has its reason.
    """
    payload = json.dumps({"run": run} if run else {}).encode()
    answer = stack.aws.client("lambda").invoke(FunctionName=stack.outputs["dispatch_function"], Payload=payload)
    body = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise RunError(f"dispatch failed: {body.get('errorMessage', body)}")
    return body


def follow_run(
    stack: LocalStack,
    run: str,
    companies: list[str],
    on_progress: Callable[[int], None] = lambda _: None,
    timeout_seconds: float = 120,
) -> list[dict[str, Any]]:
    """Wait until each company has been observed in a run.

    Parameters
    ----------
    stack, run, companies
        What to wait for.
    on_progress
        Told how many companies have been observed.
    timeout_seconds
        When to give up.

    Returns
    -------
    The observations, as DynamoDB items.

    Raises
    ------
    RunError
        Time was up.
    """
    deadline = time.monotonic() + timeout_seconds
    observed: dict[str, dict[str, Any]] = {}
    while True:
        waiting = [company for company in companies if company not in observed]
        observed.update(_observations(stack, run, waiting))
        on_progress(len(observed))
        if len(observed) == len(companies):
            return [observed[company] for company in companies]
        if time.monotonic() > deadline:
            missing = sorted(set(companies) - set(observed))
            raise RunError(f"{len(missing)} of {len(companies)} companies were not observed in time: {missing[:5]}")
        time.sleep(0.2)


def result_objects(stack: LocalStack, run: str) -> list[str]:
    """List the keys of a run's result objects."""
    prefix = f"sentiment/dt={run[:4]}-{run[4:6]}-{run[6:8]}/{run}-"
    pages = stack.aws.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stack.outputs["results_bucket"], Prefix=prefix)
    return [item["Key"] for page in found for item in page.get("Contents", [])]


def read_object(stack: LocalStack, key: str) -> str:
    """Read a result object."""
    s3 = stack.aws.client("s3")
    return s3.get_object(Bucket=stack.outputs["results_bucket"], Key=key)["Body"].read().decode()


def _observations(stack: LocalStack, run: str, companies: list[str]) -> dict[str, dict[str, Any]]:
    dynamodb = stack.aws.client("dynamodb")
    table = stack.outputs["observations_table"]
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(companies), _READ_BATCH):
        keys = [{"company": {"S": company}, "record": {"S": run}} for company in companies[start : start + _READ_BATCH]]
        answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})
        found.update({item["company"]["S"]: item for item in answer["Responses"][table]})
    return found


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
