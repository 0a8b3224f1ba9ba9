"""A client of the deployed sentiment pipeline: adds companies, starts runs, reads observations and results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from local.deploy.stack import LocalStack
from schema.companies import COMPANY_KEY, LATEST, OBSERVATION_KEY, OBSERVATION_SORT_KEY, batches_prefix, results_prefix
from schema.dynamodb import TypedItem, encode
from schema.limits import DYNAMODB_READ_KEYS, DYNAMODB_WRITE_ITEMS

_POLL_SECONDS = 0.2


class RunError(RuntimeError):
    """A run did not start or did not end."""


def add_companies(stack: LocalStack, names: Iterable[str]) -> None:
    """Add companies to the table."""
    dynamodb = stack.aws.client("dynamodb")
    table = stack.outputs["companies_table"]
    items = [encode({COMPANY_KEY: name, "added_at": _now()}) for name in dict.fromkeys(names)]
    for start in range(0, len(items), DYNAMODB_WRITE_ITEMS):
        waiting = [{"PutRequest": {"Item": item}} for item in items[start : start + DYNAMODB_WRITE_ITEMS]]
        while waiting:
            answer = dynamodb.batch_write_item(RequestItems={table: waiting})
            waiting = answer["UnprocessedItems"].get(table, [])


def start_run(stack: LocalStack, run: str | None = None) -> dict[str, Any]:
    """Start a run and return the answer of the function `dispatch`.

    Raises
    ------
    RunError
        The function failed; the message has the reason.
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
) -> list[TypedItem]:
    """Wait until a run, or a newer one, has looked at each company.

    Parameters
    ----------
    stack
        The deployed product.
    run
        Id of the run.
    companies
        Names of the companies.
    on_progress
        Called with the number of companies that have been observed.
    timeout_seconds
        Longest wait.

    Returns
    -------
    The latest observations as DynamoDB items, in the order of the companies.

    Raises
    ------
    RunError
        Some companies were not observed in time.
    """
    deadline = time.monotonic() + timeout_seconds
    observed: dict[str, TypedItem] = {}
    while True:
        waiting = [company for company in companies if company not in observed]
        observed.update(_observations(stack, run, waiting))
        on_progress(len(observed))
        if len(observed) == len(companies):
            return [observed[company] for company in companies]
        if time.monotonic() > deadline:
            missing = sorted(set(companies) - set(observed))
            raise RunError(f"{len(missing)} of {len(companies)} companies were not observed in time: {missing[:5]}")
        time.sleep(_POLL_SECONDS)


def result_objects(stack: LocalStack, run: str) -> list[str]:
    """List the keys of a run's result objects."""
    return _objects(stack, results_prefix(run))


def batch_objects(stack: LocalStack, run: str) -> list[str]:
    """List the keys of the objects that sum up a run's batches."""
    return _objects(stack, batches_prefix(run))


def read_object(stack: LocalStack, key: str) -> str:
    """Read a result object."""
    s3 = stack.aws.client("s3")
    return s3.get_object(Bucket=stack.outputs["results_bucket"], Key=key)["Body"].read().decode()


def _objects(stack: LocalStack, prefix: str) -> list[str]:
    pages = stack.aws.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stack.outputs["results_bucket"], Prefix=prefix)
    return [item["Key"] for page in found for item in page.get("Contents", [])]


def _observations(stack: LocalStack, run: str, companies: list[str]) -> dict[str, TypedItem]:
    dynamodb = stack.aws.client("dynamodb")
    table = stack.outputs["observations_table"]
    keys = [encode({OBSERVATION_KEY: company, OBSERVATION_SORT_KEY: LATEST}) for company in companies]
    found: dict[str, TypedItem] = {}
    for start in range(0, len(keys), DYNAMODB_READ_KEYS):
        answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys[start : start + DYNAMODB_READ_KEYS]}})
        items = answer["Responses"][table]
        found.update({item[OBSERVATION_KEY]["S"]: item for item in items if item["run"]["S"] >= run})
    return found


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
