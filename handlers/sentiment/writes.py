"""Writes to the table of observations, as parameters of DynamoDB's requests.

All are conditional, or write the same whenever they are repeated.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from handlers.common.times import utc_now
from handlers.sentiment.records import Claim, Observation, fit_latest, history_item, latest_item, text_item
from handlers.sentiment.sentiments import Sentiment
from handlers.sentiment.texts import Text
from schema.companies import LATEST, OBSERVATION_KEY, OBSERVATION_SORT_KEY
from schema.dynamodb import encode

_ABSENT = f"attribute_not_exists({OBSERVATION_KEY})"

Action = dict[str, Any]


class Writes:
    """Writes to the table of observations.

    Parameters
    ----------
    table
        The table's name.
    retention_days
        After how many days DynamoDB may delete history items.
    """

    def __init__(self, table: str, retention_days: int) -> None:
        self._table = table
        self._retention = retention_days * 86_400

    def history_put(self, claim: Claim) -> Action:
        """Claim an observation, unless the run has one of that company already."""
        return self._put(history_item(claim, int(time.time()) + self._retention), _ABSENT)

    def latest_put(self, claim: Claim, seen: dict[str, str]) -> Action:
        """Make an observation the latest, unless another run has looked since.

        Parameters
        ----------
        claim
            The observation.
        seen
            By company, the run of the latest observation that was read.
        """
        observation = claim.observation
        fitted = msgspec.structs.replace(claim, observation=fit_latest(observation))
        item = latest_item(fitted, looked_at=observation.observed_at)
        run = seen.get(observation.company)
        return self._put(item, _ABSENT) if run is None else self._put(item, "#run = :seen", {"#run": "run"}, run)

    def text_put(self, name: str, text: Text, observation: Observation) -> Action:
        """Store a text under its hash, with the analysis that an observation has of it."""
        sentiment = Sentiment(observation.label, observation.scores)
        return self._put(text_item(name, text, sentiment, analysed_at=observation.observed_at))

    def _put(
        self, item: dict[str, Any], condition: str = "", names: dict[str, str] | None = None, seen: str = ""
    ) -> Action:
        put: Action = {"TableName": self._table, "Item": encode(item)}
        if condition:
            put["ConditionExpression"] = condition
        if names:
            put |= {"ExpressionAttributeNames": names, "ExpressionAttributeValues": encode({":seen": seen})}
        return {"Put": put}

    def move(self, claim: Claim, seen: dict[str, str]) -> Action:
        """Note a look that found nothing new on the latest item, unless another run has looked since."""
        observation = claim.observation
        values = {
            "run": observation.run,
            "revision": observation.revision,
            "unchanged": True,
            "looked_at": utc_now(),
            "batch": claim.batch,
            "claimed_until": claim.claimed_until,
        }
        return self._update(observation.company, LATEST, values, {"run": seen[observation.company]})

    def replacement(self, old: Claim, new: Claim) -> Action:
        """Replace a claim, unless it is another one by now."""

        def fields(claim: Claim) -> dict[str, Any]:
            values = {"object": claim.object, "batch": claim.batch, "claimed_until": claim.claimed_until}
            return {name: value for name, value in values.items() if value != ""}

        company, run = old.observation.company, old.observation.run
        if old.object:
            return self._update(company, run, fields(new), fields(old))
        return self._update(company, LATEST, fields(new), {**fields(old), "run": run})

    def _update(self, company: str, record: str, values: dict[str, Any], expected: dict[str, Any]) -> Action:
        given = {f":{name}": value for name, value in values.items()}
        wanted = {f":expected_{name}": value for name, value in expected.items()}
        return {
            "TableName": self._table,
            "Key": encode({OBSERVATION_KEY: company, OBSERVATION_SORT_KEY: record}),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ConditionExpression": " AND ".join(f"#{name} = :expected_{name}" for name in expected),
            "ExpressionAttributeNames": {f"#{name}": name for name in {**values, **expected}},
            "ExpressionAttributeValues": encode({**given, **wanted}),
        }
