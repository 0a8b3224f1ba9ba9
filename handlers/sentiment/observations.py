"""The table of observations: what was observed of each company, and the texts that were analysed.

It has three kinds of items. The history item (company, run) exists where a run found something new. It is also a claim:
it is written before the row is published in a result object, on the condition that there is no such item yet, and
names that object and the time until which its writer may still be at work. An invocation that gets the message again
finds there what is left to do. The item (company, `latest`) is the newest observation. Each look at the company moves
it, also one that finds nothing new; it is then the claim of that look. The item (text, `text`) is an analysed text.

What is new is written in one transaction. A look that finds nothing new is one update of the latest item. Both hold
only if no other run has looked since the latest item was read, so a company's runs are in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from handlers.common.batch_get import batch_get
from handlers.common.chunks import chunks
from handlers.common.logs import logger
from handlers.sentiment.records import Claim, Observation, Previous, read_previous, read_sentiment, text_key
from handlers.sentiment.sentiments import Sentiment
from handlers.sentiment.texts import Text
from handlers.sentiment.writes import Action, Writes
from schema.companies import LATEST, OBSERVATION_KEY, OBSERVATION_SORT_KEY
from schema.dynamodb import decode, encode
from schema.limits import DYNAMODB_TRANSACTION_ACTIONS
from schema.retry import Backoff, attempts

BACKOFF = Backoff(attempts=6, first_seconds=0.1, longest_seconds=2)
# What is new of a company is written to the history and as the latest, and its text is stored.
WRITE_BATCH = DYNAMODB_TRANSACTION_ACTIONS // 3
_COUNT_UNITS = {"ReturnConsumedCapacity": "TOTAL"}


@dataclass
class Written:
    """What became of claims. Those that are in neither were refused, because the table holds something else by now.

    Attributes
    ----------
    claims
        Claims that are in the table.
    errors
        By company, errors that leave open whether the claim is in the table.
    """

    claims: list[Claim] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)

    def add(self, other: Written) -> Written:
        """Add the outcome of further claims."""
        return Written(self.claims + other.claims, self.errors | other.errors)


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
    threads
        Threads that update items, several at once.
    sleep
        Waits a number of seconds between attempts.
    """

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        retention_days: int,
        threads: Executor,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._writes = Writes(table, retention_days)
        self._threads = threads
        self._sleep = sleep
        self._write_units = 0.0

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
        latest = self._read({(company, LATEST) for company, _ in keys})
        # A claim moves the latest item too, so there is none of this run where an older one was the last that looked.
        looked = {(company, run) for company, run in keys if run <= latest.get((company, LATEST), {}).get("run", "")}
        history = self._read(looked) if looked else {}
        return {
            (company, run): read_previous(latest.get((company, LATEST)), history.get((company, run)), run)
            for company, run in keys
        }

    def analyses(self, names: Iterable[str]) -> dict[str, Sentiment]:
        """Read the analyses of texts, by hash; texts that were never analysed are left out."""
        keys = {text_key(name)[OBSERVATION_KEY]: name for name in names}
        if not keys:
            return {}
        record = text_key("")[OBSERVATION_SORT_KEY]
        items = self._read({(partition, record) for partition in keys})
        return {keys[partition]: read_sentiment(item) for (partition, _), item in items.items()}

    def _read(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        keys = [encode({OBSERVATION_KEY: company, OBSERVATION_SORT_KEY: record}) for company, record in sorted(wanted)]
        items = map(decode, batch_get(self._dynamodb, self._table, keys, BACKOFF, consistent=True, sleep=self._sleep))
        return {(item[OBSERVATION_KEY], item[OBSERVATION_SORT_KEY]): item for item in items}

    def write(self, claims: list[Claim], new_texts: dict[str, Text], latest: dict[str, Observation]) -> Written:
        """Write looks at companies.

        Parameters
        ----------
        claims
            The looks, all of one run. Those with a result object found something new.
        new_texts
            By hash, texts that are not stored yet.
        latest
            By company, the latest observation that was read; a look is refused where it is another one by now.
        """
        seen = {company: observation.run for company, observation in latest.items()}
        changed = [claim for claim in claims if claim.object]
        moves = [(claim, self._writes.move(claim, seen)) for claim in claims if not claim.object]
        written = Written()
        for batch in chunks(changed, WRITE_BATCH):
            written = written.add(self._write_changes(batch, new_texts, seen))
        return written.add(self._update_all(moves))

    def take_over(self, pairs: list[tuple[Claim, Claim]]) -> Written:
        """Replace claims that their writers have given up.

        Parameters
        ----------
        pairs
            The claim as it was read, and the one that replaces it.
        """
        return self._update_all([(new, self._writes.replacement(old, new)) for old, new in pairs])

    def charged_units(self) -> float:
        """Return the write units that DynamoDB has charged for since this was last asked."""
        units, self._write_units = self._write_units, 0.0
        return units

    def _write_changes(self, claims: list[Claim], new_texts: dict[str, Text], seen: dict[str, str]) -> Written:
        groups = [[self._writes.history_put(claim), self._writes.latest_put(claim, seen)] for claim in claims]
        # Of several companies with the same text, one stores it: a transaction writes each item once.
        of_texts = {name: claim for claim in claims if (name := claim.observation.text_hash) in new_texts}
        texts = [self._writes.text_put(name, new_texts[name], claim.observation) for name, claim in of_texts.items()]
        try:
            lost = self._transact(groups, texts)
        except Exception as error:
            return Written([], {claim.observation.company: error for claim in claims})
        return Written([claim for number, claim in enumerate(claims) if number not in lost], {})

    def _transact(self, groups: list[list[Action]], others: list[Action]) -> set[int]:
        """Carry out all groups of actions whose conditions hold; returns the numbers of the others.

        Parameters
        ----------
        groups
            Actions that are carried out together or not at all.
        others
            Actions without a condition.
        """
        lost: set[int] = set()
        for attempt in attempts(BACKOFF, self._sleep):
            owners = [number for number, actions in enumerate(groups) if number not in lost for _ in actions]
            if not owners:
                return lost
            actions = [action for number in dict.fromkeys(owners) for action in groups[number]] + others
            try:
                answer = self._dynamodb.transact_write_items(TransactItems=actions, **_COUNT_UNITS)
            except self._dynamodb.exceptions.TransactionCanceledException as error:
                codes = [reason.get("Code", "None") for reason in error.response["CancellationReasons"]]
                failed = {owners[n] for n, code in enumerate(codes) if code == "ConditionalCheckFailed"}
                lost |= failed
                logger.info("transaction cancelled", extra={"attempt": attempt.number, "codes": sorted(set(codes))})
                if attempt.is_last:
                    raise
                attempt.at_once = bool(failed)  # without these actions, the next attempt is another one
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionInProgressException" or attempt.is_last:
                    raise
            else:
                self._write_units += sum(one["CapacityUnits"] for one in answer.get("ConsumedCapacity", []))
                return lost
        return lost

    def _update_all(self, updates: list[tuple[Claim, Action]]) -> Written:
        under_way = [(claim, self._threads.submit(self._update_one, action)) for claim, action in updates]
        written = Written()
        for claim, future in under_way:
            try:
                units = future.result()
            except Exception as error:
                written.errors[claim.observation.company] = error
                continue
            if units is not None:
                written.claims.append(claim)
                self._write_units += units
        return written

    def _update_one(self, action: Action) -> float | None:
        """Update an item; returns the write units, or None where the condition does not hold."""
        try:
            answer = self._dynamodb.update_item(**action, **_COUNT_UNITS)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
