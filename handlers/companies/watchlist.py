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
from schema.companies import ADDED_AT, ADDED_BY, COMPANY_KEY, LATEST, OBSERVATION_KEY, OBSERVATION_SORT_KEY, PAGE
from schema.dynamodb import TypedItem, decode, encode
from schema.retry import Backoff

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

    def put(self, name: str, page: str | None, caller: str) -> tuple[Company, bool]:
        """Watch a company, or change its page.

        Parameters
        ----------
        name
            The company.
        page
            Title of its page where that differs from the name.
        caller
            Who adds it, if it is new.

        Returns
        -------
        The company, and whether it is new.
        """
        now = utc_now()
        known = self._set_page(name, page, now)
        if known is None:
            known = self._set_page(name, page, now, caller) or {}
        if known:
            return Company(name, page, known.get(ADDED_AT), known.get(ADDED_BY)), False
        return Company(name, page, now, caller), True

    def _set_page(self, name: str, page: str | None, now: str, adder: str | None = None) -> dict[str, Any] | None:
        """Set a company's page; without an adder, only of one that is watched.

        Returns
        -------
        The company as it was, empty if it is new; None if it is not watched and there is no adder.
        """
        changes = ["#added_at = if_not_exists(#added_at, :now)"]
        changes += ["#added_by = if_not_exists(#added_by, :adder)"] if adder else []
        changes += ["#page = :page"] if page else []
        names = {"#added_at": ADDED_AT, "#page": PAGE, **({"#added_by": ADDED_BY} if adder else {"#name": COMPANY_KEY})}
        try:
            answer = self._dynamodb.update_item(
                TableName=self._companies,
                Key=_company_key(name),
                UpdateExpression=f"SET {', '.join(changes)}{'' if page else ' REMOVE #page'}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=encode({":now": now, ":page": page, ":adder": adder}),
                ReturnValues="ALL_OLD",
                **({} if adder else {"ConditionExpression": "attribute_exists(#name)"}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return None
        return decode(answer.get("Attributes", {}))

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
