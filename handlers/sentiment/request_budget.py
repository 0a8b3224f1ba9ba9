"""The budget of requests to the text source, which all functions of a stack share.

One item of a table has the time at which the budget is free again. Each request moves this time on, by a conditional
update. A request that finds it too far in the future is not made. So the functions need not know of each other. The
item also has the time until which the source wants to be left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from handlers.common.logs import logger
from handlers.sentiment.texts import BudgetError, RateLimitError
from schema.wikipedia import BUDGET_ITEM, BUDGET_KEY, burst, seconds_per_request

FREE_AT = "free_at"
PAUSED_UNTIL = "paused_until"

# A source may ask for a pause of a day; what it asks for beyond that is a mistake.
LONGEST_PAUSE_SECONDS = 86_400
# After a wait that is longer, the source may have asked somebody else for a pause.
_LONG_WAIT_SECONDS = 0.1
# A difference that small comes from rounding.
_SHORTEST_WAIT_SECONDS = 0.001
# Functions that take at the same time get into each other's way, at most this often.
_ATTEMPTS = 6
_NAMES = {"#free": FREE_AT, "#paused": PAUSED_UNTIL}
_NOT_PAUSED = "(attribute_not_exists(#paused) OR #paused <= :latest)"


class RequestBudget:
    """A budget of requests; a limiter by the generic cell rate algorithm.

    Parameters
    ----------
    dynamodb
        A DynamoDB client.
    table
        Name of the table.
    per_minute
        Requests that no minute may exceed.
    now, monotonic, sleep
        Time in seconds since 1970, time of the deadlines, and how to wait a number of seconds.
    """

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        per_minute: int,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self._item = {"TableName": table, "Key": {BUDGET_KEY: {"S": BUDGET_ITEM}}}
        self._step = seconds_per_request(per_minute)
        self._ahead = (burst(per_minute) - 1) * self._step
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._was_busy = False

    def take(self, deadline: float) -> None:
        """Take one request from the budget, and wait until it may be made.

        Parameters
        ----------
        deadline
            Time on the clock of `monotonic` at which the request has to be made.

        Raises
        ------
        RateLimitError
            It cannot be made by then; `retry_after` is when it could.
        BudgetError
            The table could not be reached.
        """
        try:
            turn = self._reserve(deadline)
            while (wait := turn - self._now()) > _SHORTEST_WAIT_SECONDS:
                self._sleep(wait)
                turn = self._paused_until() if wait > _LONG_WAIT_SECONDS else 0
                if turn > self._latest(deadline):
                    raise RateLimitError("the text source asked for a pause", turn - self._now())
        except RateLimitError:
            raise
        except Exception as error:  # without the table, nobody knows how many requests others make
            raise BudgetError(f"request budget not available: {error}") from error

    def pause(self, seconds: float) -> None:
        """Let nobody make a request for a time. A failure to say so is only logged."""
        until = self._now() + min(seconds, LONGEST_PAUSE_SECONDS)
        for name, value in ((PAUSED_UNTIL, until), (FREE_AT, until + self._ahead)):  # nor a burst afterwards
            try:
                self._dynamodb.update_item(
                    **self._item,
                    UpdateExpression="SET #time = :time",
                    ConditionExpression="attribute_not_exists(#time) OR #time < :time",
                    ExpressionAttributeNames={"#time": name},
                    ExpressionAttributeValues={":time": _number(value)},
                )
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                continue  # somebody asked for a longer pause
            except Exception as error:
                logger.warning("pause not written", extra={"reason": str(error)})

    def _reserve(self, deadline: float) -> float:
        """Reserve the next turn; returns its time."""
        left = deadline - self._monotonic()
        if left <= 0:
            raise RateLimitError("no time left for a request")
        for _ in range(_ATTEMPTS):
            now = self._now()
            found = self._move_on(now, now + left) if self._was_busy else self._start(now, now + left)
            free_at, paused_until = _time(found, FREE_AT), _time(found, PAUSED_UNTIL)
            if "refused" not in found:
                return max(now, free_at - self._step - self._ahead, paused_until)
            turn = max(free_at - self._ahead, paused_until)
            if turn > now + left:
                reason = "the text source asked for a pause" if paused_until > now else "limit on requests reached"
                raise RateLimitError(reason, turn - now)
            self._was_busy = free_at > now
        raise RateLimitError("too many functions make requests at once", self._step)

    def _start(self, now: float, latest: float) -> dict[str, Any]:
        """Reserve a turn in an idle budget."""
        return self._update(
            "SET #free = :then",
            f"(attribute_not_exists(#free) OR #free <= :now) AND {_NOT_PAUSED}",
            {":now": now, ":latest": latest, ":then": now + self._step},
        )

    def _move_on(self, now: float, latest: float) -> dict[str, Any]:
        """Reserve the turn after those that others have reserved."""
        return self._update(
            "SET #free = #free + :step",
            f"#free > :now AND #free <= :last AND {_NOT_PAUSED}",
            {":now": now, ":latest": latest, ":last": latest + self._ahead, ":step": self._step},
        )

    def _update(self, change: str, condition: str, values: dict[str, float]) -> dict[str, Any]:
        """Change the item; returns it, with the key `refused` if the condition did not hold."""
        try:
            return self._dynamodb.update_item(
                **self._item,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={name: _number(value) for name, value in values.items()},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )["Attributes"]
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            return {**error.response.get("Item", {}), "refused": True}

    def _paused_until(self) -> float:
        return _time(self._dynamodb.get_item(**self._item, ConsistentRead=True).get("Item", {}), PAUSED_UNTIL)

    def _latest(self, deadline: float) -> float:
        return self._now() + deadline - self._monotonic()


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.6f}"}


def _time(item: dict[str, Any], name: str) -> float:
    return float(item[name]["N"]) if name in item else 0.0
