"""The companies that are watched, and what was observed of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from handlers.common.concurrency import both
from handlers.common.problems import not_found
from handlers.common.table import decode, encode
from handlers.common.times import utc_now
from handlers.companies.models import Company, CompanyHistory, CompanyLatest, CompanyPage, Observation
from handlers.sentiment.work import RUN_PATTERN

LATEST = "latest"
MAX_ATTEMPTS = 5
_RUN = re.compile(RUN_PATTERN)


def is_run(text: str) -> bool:
    """Tell whether a text can be a run's id."""
    return _RUN.fullmatch(text) is not None


class WatchList:
    """The companies that are watched: one list, for all users.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    companies
        Name of the table of companies.
    observations
        Name of the table of observations.
    """

    def __init__(self, dynamodb: Any, companies: str, observations: str = "") -> None:
        self._dynamodb = dynamodb
        self._companies = companies
        self._observations = observations

    def page(self, limit: int, position: str | None, with_latest: bool = True) -> tuple[CompanyPage, str | None]:
        """List companies, each with its latest observation.

        Parameters
        ----------
        limit
            At most so many.
        position
            The company after which to begin.
        with_latest
            Read their latest observations. Without them, the list is consistent: it has all earlier changes.

        Returns
        -------
        The companies, and the one after which the next page begins, if there is one.
        """
        start = {"ExclusiveStartKey": encode({"name": position})} if position else {}
        answer = self._dynamodb.scan(TableName=self._companies, Limit=limit, ConsistentRead=not with_latest, **start)
        companies = [decode(item) for item in answer["Items"]]
        if with_latest:
            latest = self._latest([company["name"] for company in companies])
            companies = [{**company, "latest": latest.get(company["name"])} for company in companies]
        rows = msgspec.convert(companies, list[CompanyLatest])
        following = answer.get("LastEvaluatedKey", {}).get("name", {}).get("S")
        return CompanyPage(rows, None), following

    def _latest(self, names: list[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        keys = [encode({"company": name, "record": LATEST}) for name in names]
        for _ in range(MAX_ATTEMPTS):
            if not keys:
                break
            answer = self._dynamodb.batch_get_item(RequestItems={self._observations: {"Keys": keys}})
            for item in answer["Responses"].get(self._observations, []):
                found[item["company"]["S"]] = decode(item)
            keys = answer.get("UnprocessedKeys", {}).get(self._observations, {}).get("Keys", [])
        return found

    def history(self, name: str, limit: int, position: str | None) -> tuple[CompanyHistory, str | None]:
        """Read a company and its observations, newest first.

        Parameters
        ----------
        name
            The company.
        limit
            At most so many observations.
        position
            The run to begin with; the newest when absent.

        Returns
        -------
        The company, and the run that the next page begins with, if there is one.

        Raises
        ------
        Problem
            The company is not watched.
        """
        company, records = both(
            lambda: self._company(name),
            # `latest` sorts above every run: on the first page, one query brings it and the newest of the history.
            lambda: self._records(name, position or LATEST, limit + (1 if position else 2)),
        )
        latest = {} if position else {"latest": None}
        if records and records[0]["record"] == LATEST:
            latest = {"latest": records.pop(0)}
        following = records[limit]["record"] if len(records) > limit else None
        history = msgspec.convert(records[:limit], list[Observation])
        return msgspec.convert({**company, **latest, "history": history, "next": None}, CompanyHistory), following

    def _company(self, name: str) -> dict[str, Any]:
        answer = self._dynamodb.get_item(TableName=self._companies, Key=encode({"name": name}))
        if "Item" not in answer:
            raise not_found("company", is_shared=False)
        return decode(answer["Item"])

    def _records(self, name: str, high: str, limit: int) -> list[dict[str, Any]]:
        answer = self._dynamodb.query(
            TableName=self._observations,
            KeyConditionExpression="#company = :company AND #record <= :high",
            ExpressionAttributeNames={"#company": "company", "#record": "record"},
            ExpressionAttributeValues=encode({":company": name, ":high": high}),
            ScanIndexForward=False,
            Limit=limit,
        )
        return [decode(item) for item in answer["Items"]]

    def put(self, name: str, page: str | None) -> tuple[Company, bool]:
        """Watch a company, or change its page.

        Returns
        -------
        The company, and whether it is new.
        """
        now = utc_now()
        expressions = {"#added_at": "added_at", "#page": "page"}
        change = "SET #added_at = if_not_exists(#added_at, :now)"
        answer = self._dynamodb.update_item(
            TableName=self._companies,
            Key=encode({"name": name}),
            UpdateExpression=f"{change}, #page = :page" if page else f"{change} REMOVE #page",
            ExpressionAttributeNames=expressions,
            ExpressionAttributeValues=encode({":now": now, ":page": page}),
            ReturnValues="ALL_OLD",
        )
        old = answer.get("Attributes")
        return Company(name, page, _added_at(old) if old else now), not old

    def delete(self, name: str) -> None:
        """Stop watching a company; its observations stay.

        Raises
        ------
        Problem
            The company is not watched.
        """
        try:
            self._dynamodb.delete_item(
                TableName=self._companies,
                Key=encode({"name": name}),
                ConditionExpression="attribute_exists(#name)",
                ExpressionAttributeNames={"#name": "name"},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise not_found("company", is_shared=False) from None


def _added_at(item: Mapping[str, Any]) -> str | None:
    return item.get("added_at", {}).get("S")
