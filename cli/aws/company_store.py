"""The companies table and the observations of a company, for operators: with AWS credentials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from cli.aws.batches import write_batches
from cli.aws.deployment import WORKERS, Deployment
from schema.companies import COMPANY_KEY, OBSERVATION_KEY, OBSERVATION_SORT_KEY
from schema.dynamodb import encode


class CompanyStore:
    """The companies of a deployment, as they are stored. `cli/api/companies.py` changes them."""

    def __init__(self, deployment: Deployment):
        self._deployment = deployment
        self._client = deployment.client("dynamodb")

    def names(self) -> list[str]:
        """Read the name of every company, in order."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._deployment.output("companies_table"),
            ProjectionExpression="#name",
            ExpressionAttributeNames={"#name": COMPANY_KEY},
            ConsistentRead=True,
        )
        found = (item[COMPANY_KEY]["S"] for page in pages for item in page["Items"])
        return sorted(found, key=lambda name: (name.casefold(), name))

    def has(self, name: str) -> bool:
        """Tell whether a company is watched."""
        answer = self._client.get_item(
            TableName=self._deployment.output("companies_table"), Key=encode({COMPANY_KEY: name}), ConsistentRead=True
        )
        return "Item" in answer

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
