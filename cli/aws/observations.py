"""Reading observations: the latest of every company, or the history of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from cli.aws.batches import read_batches
from cli.aws.deployment import Deployment
from schema.companies import LATEST, OBSERVATION_KEY, OBSERVATION_SORT_KEY
from schema.dynamodb import decode, encode

# Sorts after all run ids, which start with the digits of a year, and before `latest`.
AFTER_ALL_RUNS = "9"
SCORES = ("positive", "negative", "neutral", "mixed")
FIELDS = (
    OBSERVATION_KEY,
    "run",
    "observed_at",
    "label",
    *SCORES,
    "language",
    "revision",
    "unchanged",
    "snippet",
    "text_hash",
    "page",
    "candidates",
    "reason",
    "looked_at",
    "object",
)


class Observation(msgspec.Struct):
    """What a run found out about a company; its fields are attributes of the observations table.

    Attributes
    ----------
    run : str
        The run that found it out; of the latest observation, the last run that looked at the company.
    looked_at : str
        When the company was last found so. Only the latest observation moves it.
    object : str or None
        Key of the result object. The latest observation names none.
    """

    company: str
    run: str = ""
    observed_at: str = ""
    label: str = ""
    positive: float | None = None
    negative: float | None = None
    neutral: float | None = None
    mixed: float | None = None
    language: str | None = None
    revision: str | None = None
    unchanged: bool = False
    snippet: str | None = None
    text_hash: str | None = None
    page: str | None = None
    candidates: list[str] = []
    reason: str | None = None
    looked_at: str = ""
    object: str | None = None


def latest_observations(deployment: Deployment, companies: Sequence[str]) -> list[Observation]:
    """Read the latest observation of each of some companies; those never observed are left out.

    Returns
    -------
    list of Observation
        In the order of the companies.
    """
    keys = [encode({OBSERVATION_KEY: name, OBSERVATION_SORT_KEY: LATEST}) for name in companies]
    items = read_batches(deployment.client("dynamodb"), deployment.output("observations_table"), keys, FIELDS)
    found = {item[OBSERVATION_KEY]: _observation(item) for item in items}
    return [found[name] for name in companies if name in found]


def history(deployment: Deployment, company: str, since: datetime | None, limit: int | None) -> list[Observation]:
    """Read the observations of a company, newest first.

    Parameters
    ----------
    deployment : Deployment
    company : str
        The company's name.
    since : datetime, optional
        In UTC; only runs that started then or later.
    limit : int, optional
        The largest number of observations.
    """
    pages = (
        deployment.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=deployment.output("observations_table"),
            KeyConditionExpression="#company = :company AND #record BETWEEN :since AND :until",
            # A claim without a label is an analysis that has not ended.
            FilterExpression="attribute_exists(#label)",
            ExpressionAttributeNames={"#company": OBSERVATION_KEY, "#record": OBSERVATION_SORT_KEY, "#label": "label"},
            ExpressionAttributeValues=encode(
                {
                    ":company": company,
                    ":since": f"{since:%Y%m%dT%H%M%SZ}" if since else "0",
                    ":until": AFTER_ALL_RUNS,
                }
            ),
            ScanIndexForward=False,
            PaginationConfig={"PageSize": min(limit, 1000) if limit else None},
        )
    )
    items = (item for page in pages for item in page["Items"])
    return [_observation(decode(item)) for item in islice(items, limit)]


def _observation(item: dict[str, Any]) -> Observation:
    present = {key: item[key] for key in FIELDS if item.get(key) is not None}
    # The history has no such time, nor have latest observations of versions that wrote each of them anew.
    present.setdefault("looked_at", present.get("observed_at", ""))
    return msgspec.convert(present, Observation, strict=False)
