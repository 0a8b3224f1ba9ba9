"""The table of observations: what was seen of each company, in each run and last.

Two kinds of items share it. The history item (company, run) also is a claim: it is written, on the condition that it is
not there, before the row is published in a result object, and names that object and the moment until which its writer
may still be at work. Whoever meets the message again can tell what is left to do. The item (company, `latest`) is a
copy of the newest observation. Both are written in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from handlers.common.backoff import full_jitter
from handlers.common.logs import logger
from handlers.sentiment.sentiments import Scores
from handlers.sentiment.work import chunks

LATEST = "latest"
MAX_ATTEMPTS = 6
# DynamoDB: at most 100 keys a BatchGetItem, 100 actions a TransactWriteItems.
READ_BATCH = 50
WRITE_BATCH = 50


class Observation(msgspec.Struct, frozen=True):
    """What was seen of one company in one run.

    Attributes
    ----------
    observed_at
        Time in UTC, ISO 8601, such as `2026-11-21T06:52:00Z`.
    label
        A sentiment, or why there is none: see `Sentiment` and `NoText`.
    scores
        Absent where there is no sentiment.
    unchanged
        The text had been analysed before, and that analysis was used again.
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
    """An observation that was written, and where its row belongs.

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
    """What the table knows of a company when a message arrives."""

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
        """Read what is known of companies.

        Parameters
        ----------
        keys
            Pairs of company and run.

        Returns
        -------
        For each pair, the company's latest observation and the claim of that run.
        """
        records: dict[tuple[str, str], dict[str, Any]] = {}
        for batch in chunks(keys, READ_BATCH):
            wanted = {(company, record) for company, run in batch for record in (run, LATEST)}
            records.update(self._read(wanted))
        return {(company, run): _previous(records, company, run) for company, run in keys}

    def _read(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        keys = [{"company": {"S": company}, "record": {"S": record}} for company, record in sorted(wanted)]
        for attempt in range(1, MAX_ATTEMPTS + 1):
            answer = self._dynamodb.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            for item in answer["Responses"].get(self._table, []):
                found[item["company"]["S"], item["record"]["S"]] = item
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return found
            self._sleep(full_jitter(attempt, base=0.1, cap=2))
        raise TimeoutError(f"DynamoDB left {len(keys)} keys unread in {MAX_ATTEMPTS} attempts")

    def write(self, claims: list[Claim], replaced: dict[str, Claim]) -> list[Claim]:
        """Write observations: each to the history and, where none is newer, as the latest.

        Parameters
        ----------
        claims
            What to write, of one run.
        replaced
            By company, the claims that are known, not published, and given up by their writers.

        Returns
        -------
        The claims that were written; the others' messages are being worked on elsewhere.

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
        """Carry out all actions whose condition holds; returns the positions of those whose does not."""
        lost: set[int] = set()
        half = len(actions) // 2  # action n is of the history; action n + half makes the same observation the latest
        for attempt in range(1, MAX_ATTEMPTS + 1):
            positions = [position for position in range(len(actions)) if position not in lost]
            if not positions:
                return lost
            try:
                self._dynamodb.transact_write_items(TransactItems=[actions[position] for position in positions])
            except self._dynamodb.exceptions.TransactionCanceledException as error:
                codes = [reason.get("Code", "None") for reason in error.response["CancellationReasons"]]
                failed = {positions[n] for n, code in enumerate(codes) if code == "ConditionalCheckFailed"}
                lost |= failed | {position + half for position in failed if position < half}
                logger.info("transaction cancelled", extra={"attempt": attempt, "codes": sorted(set(codes))})
                if attempt == MAX_ATTEMPTS:
                    raise
                if not failed:
                    self._sleep(full_jitter(attempt, base=0.1, cap=2))
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionInProgressException" or attempt == MAX_ATTEMPTS:
                    raise
                self._sleep(full_jitter(attempt, base=0.1, cap=2))
            else:
                return lost
        return lost

    def _history_put(self, claim: Claim, replaced: Claim | None) -> dict[str, Any]:
        item = _item(claim.observation, claim.observation.run)
        item["object"] = {"S": claim.object}
        item["claimed_until"] = {"N": str(claim.claimed_until)}
        item["expires_at"] = {"N": str(int(time.time()) + self._retention)}
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if replaced is None:
            put["ConditionExpression"] = "attribute_not_exists(company)"
        else:
            put["ConditionExpression"] = "#object = :object AND claimed_until = :until"
            put["ExpressionAttributeNames"] = {"#object": "object"}
            put["ExpressionAttributeValues"] = {
                ":object": {"S": replaced.object},
                ":until": {"N": str(replaced.claimed_until)},
            }
        return {"Put": put}

    def _latest_put(self, claim: Claim) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": _item(claim.observation, LATEST) | {"object": {"S": claim.object}},
                "ConditionExpression": "attribute_not_exists(company) OR #run <= :run",
                "ExpressionAttributeNames": {"#run": "run"},
                "ExpressionAttributeValues": {":run": {"S": claim.observation.run}},
            }
        }


def _previous(records: dict[tuple[str, str], dict[str, Any]], company: str, run: str) -> Previous:
    latest, history = records.get((company, LATEST)), records.get((company, run))
    return Previous(
        _observation(latest) if latest else None,
        Claim(_observation(history), history["object"]["S"], int(history["claimed_until"]["N"])) if history else None,
    )


def _item(observation: Observation, record: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "record": {"S": record},
        "unchanged": {"BOOL": observation.unchanged},
        **{name: {"S": getattr(observation, name)} for name in _TEXTS},
    }
    if observation.scores:
        for name, score in msgspec.structs.asdict(observation.scores).items():
            item[name] = {"N": str(score)}
    return item


_TEXTS = ("run", "observed_at", "company", "label", "language", "revision", "snippet")


def _observation(item: dict[str, Any]) -> Observation:
    scores = None
    if "positive" in item:
        scores = Scores(*(float(item[name]["N"]) for name in Scores.__struct_fields__))
    return Observation(**{name: item[name]["S"] for name in _TEXTS}, scores=scores, unchanged=item["unchanged"]["BOOL"])
