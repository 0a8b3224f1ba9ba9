"""The companies table, and the observations that belong to a company."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import msgspec

from cli.aws.batches import write_batches
from cli.aws.deployment import WORKERS, Deployment
from schema.companies import COMPANY_KEY, OBSERVATION_KEY, OBSERVATION_SORT_KEY, PAGE
from schema.dynamodb import decode, encode


class Company(msgspec.Struct, omit_defaults=True):
    """A company that is watched.

    Attributes
    ----------
    name : str
        Its name, unique.
    page : str or None
        Title of its page on Wikipedia, when that differs from the name.
    added_at : str or None
        When it was added, ISO 8601 in UTC.
    """

    name: str
    page: str | None = None
    added_at: str | None = None


class RenameRefusedError(Exception):
    """A company was not renamed; the message says why."""


class CompanyStore:
    """The companies of a deployment."""

    def __init__(self, deployment: Deployment):
        self._deployment = deployment
        self._table = deployment.output("companies_table")
        self._client = deployment.client("dynamodb")

    def all(self) -> list[Company]:
        """Read every company, ordered by name."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        found = [_company(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda company: (company.name.casefold(), company.name))

    def get(self, name: str) -> Company | None:
        """Read one company; None when it is not there."""
        answer = self._client.get_item(TableName=self._table, Key=encode({COMPANY_KEY: name}), ConsistentRead=True)
        return _company(answer["Item"]) if "Item" in answer else None

    def add(self, companies: Iterable[Company], finished: Callable[[int], None]) -> None:
        """Write companies that are not there yet; an existing one would be replaced.

        Parameters
        ----------
        companies : iterable of Company
            No name twice. ``added_at`` is set here.
        finished : callable
            Called, from any thread, with the number of companies just written.
        """
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        puts = [{"PutRequest": {"Item": _item(company, company.added_at or now)}} for company in companies]
        write_batches(self._client, self._table, puts, finished)

    def remove(self, names: Iterable[str], finished: Callable[[int], None]) -> None:
        """Delete companies by name. No name twice."""
        deletes = [{"DeleteRequest": {"Key": encode({COMPANY_KEY: name})}} for name in names]
        write_batches(self._client, self._table, deletes, finished)

    def rename(self, old: str, new: str) -> None:
        """Give a company a new name, keeping its page and the time it was added, in one transaction.

        Raises
        ------
        RenameRefusedError
            When ``old`` is not there or ``new`` already is; nothing was changed.
        """
        company = self.get(old)
        if company is None:
            raise RenameRefusedError(f"{old!r} is not in the table")
        if old == new:
            raise RenameRefusedError(f"{old!r} already has this name")
        company.name = new
        put = {
            "TableName": self._table,
            "Item": _item(company, company.added_at),
            "ConditionExpression": "attribute_not_exists(#name)",
            "ExpressionAttributeNames": {"#name": COMPANY_KEY},
        }
        delete = {
            "TableName": self._table,
            "Key": encode({COMPANY_KEY: old}),
            "ConditionExpression": "attribute_exists(#name)",
            "ExpressionAttributeNames": {"#name": COMPANY_KEY},
        }
        try:
            self._client.transact_write_items(TransactItems=[{"Put": put}, {"Delete": delete}])
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if reasons[:1] == ["ConditionalCheckFailed"]:
                raise RenameRefusedError(f"{new!r} is already in the table") from None
            if reasons[1:2] == ["ConditionalCheckFailed"]:
                raise RenameRefusedError(f"{old!r} is not in the table") from None
            raise

    def purge(self, names: Sequence[str], finished: Callable[[int], None]) -> int:
        """Delete every observation of some companies.

        Returns
        -------
        int
            The number of records deleted, history and latest.
        """
        with ThreadPoolExecutor(WORKERS) as threads:
            return sum(threads.map(lambda name: self._purge_one(name, finished), names))

    def _purge_one(self, name: str, finished: Callable[[int], None]) -> int:
        table = self._deployment.output("observations_table")
        pages = self._client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="#company = :company",
            ProjectionExpression="#company, #record",
            ExpressionAttributeNames={"#company": OBSERVATION_KEY, "#record": OBSERVATION_SORT_KEY},
            ExpressionAttributeValues=encode({":company": name}),
            ConsistentRead=True,
        )
        deletes = [{"DeleteRequest": {"Key": key}} for page in pages for key in page["Items"]]
        write_batches(self._client, table, deletes)
        finished(1)
        return len(deletes)


def _company(item: dict[str, dict[str, Any]]) -> Company:
    values = decode(item)
    return Company(values[COMPANY_KEY], values.get(PAGE), values.get("added_at"))


def _item(company: Company, added_at: str | None) -> dict[str, dict[str, str]]:
    return encode({COMPANY_KEY: company.name, PAGE: company.page, "added_at": added_at})
