"""The companies that are watched, and their observations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from handlers.common.batch_get import batch_get
from handlers.common.concurrency import both
from handlers.common.problems import not_found
from handlers.common.times import utc_now
from handlers.companies.models import Company, CompanyHistory, CompanyLatest, CompanyPage, Observation
from schema.companies import COMPANY_KEY, LATEST, OBSERVATION_KEY, OBSERVATION_SORT_KEY, PAGE
from schema.dynamodb import TypedItem, decode, encode
from schema.retry import Backoff

_ADDED_AT = "added_at"
READS = Backoff(attempts=5, first_seconds=0.1, longest_seconds=1)


class WatchList:
    """The companies that are watched: one list, for all users.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    companies
        Name of the table of companies.
    observations
        Name of the table of observations; empty where only companies are read or changed.
    sleep
        Waits a number of seconds between attempts.
    """

    def __init__(
        self, dynamodb: Any, companies: str, observations: str = "", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._dynamodb = dynamodb
        self._companies = companies
        self._observations = observations
        self._sleep = sleep

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

        Raises
        ------
        TimeoutError
            DynamoDB left observations unread in every attempt.
        """
        start = {"ExclusiveStartKey": _company_key(position)} if position else {}
        answer = self._dynamodb.scan(TableName=self._companies, Limit=limit, ConsistentRead=not with_latest, **start)
        companies = [decode(item) for item in answer["Items"]]
        if with_latest:
            latest = self._latest([company[COMPANY_KEY] for company in companies])
            companies = [{**company, "latest": latest.get(company[COMPANY_KEY])} for company in companies]
        rows = msgspec.convert(companies, list[CompanyLatest])
        following = decode(answer.get("LastEvaluatedKey", {})).get(COMPANY_KEY)
        return CompanyPage(rows, None), following

    def _latest(self, names: list[str]) -> dict[str, dict[str, Any]]:
        keys = [encode({OBSERVATION_KEY: name, OBSERVATION_SORT_KEY: LATEST}) for name in names]
        items = map(decode, batch_get(self._dynamodb, self._observations, keys, READS, sleep=self._sleep))
        return {item[OBSERVATION_KEY]: item for item in items}

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
        if records and records[0][OBSERVATION_SORT_KEY] == LATEST:
            latest = {"latest": records.pop(0)}
        following = records[limit][OBSERVATION_SORT_KEY] if len(records) > limit else None
        history = msgspec.convert(records[:limit], list[Observation])
        return msgspec.convert({**company, **latest, "history": history, "next": None}, CompanyHistory), following

    def _company(self, name: str) -> dict[str, Any]:
        answer = self._dynamodb.get_item(TableName=self._companies, Key=_company_key(name))
        if "Item" not in answer:
            raise not_found("company", is_shared=False)
        return decode(answer["Item"])

    def _records(self, name: str, high: str, limit: int) -> list[dict[str, Any]]:
        answer = self._dynamodb.query(
            TableName=self._observations,
            KeyConditionExpression="#company = :company AND #record <= :high",
            ExpressionAttributeNames={"#company": OBSERVATION_KEY, "#record": OBSERVATION_SORT_KEY},
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
        change = "SET #added_at = if_not_exists(#added_at, :now)"
        answer = self._dynamodb.update_item(
            TableName=self._companies,
            Key=_company_key(name),
            UpdateExpression=f"{change}, #page = :page" if page else f"{change} REMOVE #page",
            ExpressionAttributeNames={"#added_at": _ADDED_AT, "#page": PAGE},
            ExpressionAttributeValues=encode({":now": now, ":page": page}),
            ReturnValues="ALL_OLD",
        )
        old = decode(answer.get("Attributes", {}))
        return Company(name, page, old.get(_ADDED_AT) if old else now), not old

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
                Key=_company_key(name),
                ConditionExpression="attribute_exists(#name)",
                ExpressionAttributeNames={"#name": COMPANY_KEY},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            if error.response["ResponseMetadata"].get("RetryAttempts"):
                return  # a first attempt, whose answer was lost, may have done it
            raise not_found("company", is_shared=False) from None


def _company_key(name: str) -> TypedItem:
    return encode({COMPANY_KEY: name})
