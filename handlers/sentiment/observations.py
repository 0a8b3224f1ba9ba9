"""The table of observations: what was observed of each company, in each run and last.

It has two kinds of items. The history item (company, run) is also a claim. It is written before the row is published in
a result object, on the condition that there is no such item yet; it names that object and the time until which its
writer may still be at work. An invocation that gets the message again finds there what is left to do. The item
(company, `latest`) is a copy of the newest observation. Both are written in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from handlers.common.batch_get import batch_get
from handlers.common.chunks import chunks
from handlers.common.logs import logger
from handlers.sentiment.sentiments import Scores
from schema.companies import LATEST, OBSERVATION_EXPIRES, OBSERVATION_KEY, OBSERVATION_SORT_KEY
from schema.dynamodb import decode, encode
from schema.limits import DYNAMODB_TRANSACTION_ACTIONS
from schema.retry import Backoff, attempts

BACKOFF = Backoff(attempts=6, first_seconds=0.1, longest_seconds=2)
# Each observation is written twice: to the history and as the latest.
WRITE_BATCH = DYNAMODB_TRANSACTION_ACTIONS // 2
_ABSENT = f"attribute_not_exists({OBSERVATION_KEY})"


class Observation(msgspec.Struct, frozen=True):
    """What was observed of one company in one run.

    Attributes
    ----------
    observed_at
        Time in UTC, ISO 8601, such as `2026-11-21T06:52:00Z`.
    label
        A sentiment, or why there is none: see `Sentiment` and `NoText`.
    scores
        Absent where there is no sentiment.
    unchanged
        The text was analysed in an earlier run, and that analysis was used again.
    snippet
        The beginning of the text.
    """

    run: str
    observed_at: str
    company: str
    label: str
    scores: Scores | None = None
    language: str = ""
    revision: str = ""
    unchanged: bool = False
    snippet: str = ""


class Claim(msgspec.Struct, frozen=True):
    """An observation that was written, and the result object of its row.

    Attributes
    ----------
    object
        Key of the result object that holds the row, once its writer has finished.
    claimed_until
        The writer is not at work after this time, in seconds since 1970.
    """

    observation: Observation
    object: str
    claimed_until: int


class Previous(msgspec.Struct, frozen=True):
    """What the table holds of a company when a message arrives."""

    latest: Observation | None = None
    claim: Claim | None = None


class Observations:
    """The table of observations.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    table
        The table's name.
    retention_days
        After how many days DynamoDB may delete history items.
    sleep
        Waits a number of seconds between attempts.
    """

    def __init__(
        self, dynamodb: Any, table: str, retention_days: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention_days * 86_400
        self._sleep = sleep

    def previous(self, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Previous]:
        """Read what the table holds of companies.

        Parameters
        ----------
        keys
            Pairs of company and run.

        Returns
        -------
        For each pair, the company's latest observation and the claim of that run.
        """
        records = self._read({(company, record) for company, run in keys for record in (run, LATEST)})
        return {(company, run): _previous(records, company, run) for company, run in keys}

    def _read(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        keys = [encode({OBSERVATION_KEY: company, OBSERVATION_SORT_KEY: record}) for company, record in sorted(wanted)]
        items = map(decode, batch_get(self._dynamodb, self._table, keys, BACKOFF, consistent=True, sleep=self._sleep))
        return {(item[OBSERVATION_KEY], item[OBSERVATION_SORT_KEY]): item for item in items}

    def write(self, claims: list[Claim], replaced: dict[str, Claim]) -> list[Claim]:
        """Write observations: each to the history and, where none is newer, as the latest.

        Parameters
        ----------
        claims
            The observations, all of one run.
        replaced
            By company, earlier claims of that run that were not published and that their writers have given up.

        Returns
        -------
        The claims that were written; other invocations are at work on the other companies.

        Raises
        ------
        botocore.exceptions.ClientError
            DynamoDB refused in every attempt; nothing of the last transaction was written.
        """
        written: list[Claim] = []
        for batch in chunks(claims, WRITE_BATCH):
            actions = [self._history_put(claim, replaced.get(claim.observation.company)) for claim in batch]
            actions += [self._latest_put(claim) for claim in batch]
            lost = self._transact(actions)
            written += [claim for position, claim in enumerate(batch) if position not in lost]
        return written

    def _transact(self, actions: list[dict[str, Any]]) -> set[int]:
        """Carry out all actions whose condition holds; returns the positions of the others."""
        lost: set[int] = set()
        half = len(actions) // 2  # action n is of the history; action n + half makes the same observation the latest
        for attempt in attempts(BACKOFF, self._sleep):
            positions = [position for position in range(len(actions)) if position not in lost]
            if not positions:
                return lost
            try:
                self._dynamodb.transact_write_items(TransactItems=[actions[position] for position in positions])
            except self._dynamodb.exceptions.TransactionCanceledException as error:
                codes = [reason.get("Code", "None") for reason in error.response["CancellationReasons"]]
                failed = {positions[n] for n, code in enumerate(codes) if code == "ConditionalCheckFailed"}
                lost |= failed | {position + half for position in failed if position < half}
                logger.info("transaction cancelled", extra={"attempt": attempt.number, "codes": sorted(set(codes))})
                if attempt.is_last:
                    raise
                attempt.at_once = bool(failed)  # without these actions, the next attempt is another one
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionInProgressException" or attempt.is_last:
                    raise
            else:
                return lost
        return lost

    def _history_put(self, claim: Claim, replaced: Claim | None) -> dict[str, Any]:
        item = {
            **_item(claim.observation, claim.observation.run),
            "object": claim.object,
            "claimed_until": claim.claimed_until,
            OBSERVATION_EXPIRES: int(time.time()) + self._retention,
        }
        if replaced is None:
            return self._put(item, _ABSENT)
        return self._put(
            item,
            "#object = :object AND #until = :until",
            names={"#object": "object", "#until": "claimed_until"},
            values={":object": replaced.object, ":until": replaced.claimed_until},
        )

    def _latest_put(self, claim: Claim) -> dict[str, Any]:
        return self._put(
            {**_item(claim.observation, LATEST), "object": claim.object},
            f"{_ABSENT} OR #run <= :run",
            names={"#run": "run"},
            values={":run": claim.observation.run},
        )

    def _put(
        self,
        item: dict[str, Any],
        condition: str,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": encode(item), "ConditionExpression": condition}
        if names:
            put["ExpressionAttributeNames"] = names
        if values:
            put["ExpressionAttributeValues"] = encode(values)
        return {"Put": put}


def _previous(records: dict[tuple[str, str], dict[str, Any]], company: str, run: str) -> Previous:
    latest, history = records.get((company, LATEST)), records.get((company, run))
    return Previous(
        _observation(latest) if latest else None,
        Claim(_observation(history), history["object"], history["claimed_until"]) if history else None,
    )


_TEXTS = ("run", "observed_at", "company", "label", "language", "revision", "snippet")


def _item(observation: Observation, record: str) -> dict[str, Any]:
    scores = msgspec.structs.asdict(observation.scores) if observation.scores else {}
    texts = {name: getattr(observation, name) for name in _TEXTS}
    return {OBSERVATION_SORT_KEY: record, "unchanged": observation.unchanged, **texts, **scores}


def _observation(item: dict[str, Any]) -> Observation:
    scores = None
    if "positive" in item:
        scores = Scores(*(float(item[name]) for name in Scores.__struct_fields__))
    return Observation(**{name: item[name] for name in _TEXTS}, scores=scores, unchanged=item["unchanged"])
