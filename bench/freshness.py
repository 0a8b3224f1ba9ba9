"""How long a run over many companies takes within Wikipedia's limits: a simulation in virtual time.

`python -m bench.freshness` prints the table of docs/operating.md. The budget, the source and the limits are the real
ones; SQS, Lambda, DynamoDB and the network are replaced by a queue, two threads, a dictionary and a fixed latency.
"""

from __future__ import annotations

import heapq
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from handlers.common.logs import logger
from handlers.sentiment.request_budget import RequestBudget
from handlers.sentiment.texts import RateLimitError, SourceError, Text, Wanted
from handlers.sentiment.wikipedia.answers import Answer, Query
from handlers.sentiment.wikipedia.source import Wikipedia
from local.aws.request_limits import Limiter, Limits
from local.aws.text_source import TextSource
from schema.defaults import ANALYSE_CONCURRENCY
from schema.wikipedia import PAGES_PER_REQUEST, REQUESTS_AT_ONCE

COMPANIES = (67, 1000, 5000)
LIMITS = (10, 200)
# Half of the default time limit of `analyse`.
TEXT_SECONDS = 60
REQUEST_SECONDS = 0.5
# Reading and writing tables and objects, and Comprehend.
BATCH_SECONDS = 1.0
_ABSENT = re.compile(r"attribute_not_exists\((#\w+)\)")
_CONDITION = re.compile(r"(#\w+) (<=|>=|<|>) (:\w+)")


@dataclass(frozen=True)
class Run:
    """What a run took.

    Attributes
    ----------
    seconds
        From its start to its last company.
    requests, refused
        Requests to the text source, and those of them that were refused.
    postponed
        Messages that were put back because there was no turn for them in time.
    """

    seconds: float
    requests: int
    refused: int
    postponed: int


class VirtualTime:
    """Threads of which one runs at a time, the one whose time has come first."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._sleeping: list[tuple[float, int, threading.Event]] = []
        self._number = 0

    def time(self) -> float:
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the others run until this time has passed."""
        mine = self._enter(self.now + max(0.0, seconds))
        self._wake_next()
        mine.wait()

    def run(self, works: list[Callable[[], None]]) -> None:
        """Run functions in threads until all of them have returned."""
        threads = [threading.Thread(target=self._work, args=(work, self._enter(self.now))) for work in works]
        for thread in threads:
            thread.start()
        self._wake_next()
        for thread in threads:
            thread.join()

    def _work(self, work: Callable[[], None], turn: threading.Event) -> None:
        turn.wait()
        try:
            work()
        finally:
            self._wake_next()

    def _enter(self, at: float) -> threading.Event:
        turn = threading.Event()
        self._number += 1
        heapq.heappush(self._sleeping, (at, self._number, turn))
        return turn

    def _wake_next(self) -> None:
        if self._sleeping:
            self.now, _, turn = heapq.heappop(self._sleeping)
            turn.set()


class Table:
    """The table of the budget: one item, and conditional updates of its numbers."""

    class exceptions:  # noqa: N801, D106 - boto3's name
        class ConditionalCheckFailedException(ClientError):  # noqa: N818 - boto3's name
            """The condition does not hold."""

    def __init__(self) -> None:
        self._item: dict[str, Any] = {}

    def get_item(self, **_: Any) -> dict[str, Any]:
        """Read the item."""
        return {"Item": dict(self._item)}

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Change the item if the condition holds."""
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]

        def number(name: str) -> float | None:
            found = values.get(name) or self._item.get(names[name])
            return float(found["N"]) if found else None

        def compare(found: re.Match[str]) -> str:
            left, right = number(found[1]), number(found[3])
            if left is None or right is None:
                return "False"
            return str({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[found[2]])

        condition = _ABSENT.sub(lambda found: str(number(found[1]) is None), request["ConditionExpression"])
        condition = _CONDITION.sub(compare, condition).replace("AND", "and").replace("OR", "or")
        if not eval(condition, {"__builtins__": {}}):  # noqa: S307 - nothing but True, False, and, or
            answer: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": dict(self._item)}
            raise self.exceptions.ConditionalCheckFailedException(answer, "UpdateItem")
        target, *terms = re.findall(r"[#:]\w+", request["UpdateExpression"])
        self._item[names[target]] = {"N": f"{sum(number(term) or 0 for term in terms):.6f}"}
        return {"Attributes": dict(self._item)}


class LimitedApi:
    """The embedded Action API, behind Wikipedia's limits and a latency."""

    def __init__(self, world: VirtualTime, texts: TextSource, limiter: Limiter, budget: RequestBudget) -> None:
        self._world = world
        self._texts = texts
        self._limiter = limiter
        self._budget = budget
        self.requests = self.refused = 0

    def query(self, parameters: dict[str, str], deadline: float) -> Query:
        """Make a request when there is a turn for it."""
        self._budget.take(deadline)
        self.requests += 1
        retry_after = self._limiter.enter("CloudNLP/1 (ops@example.com)")
        if retry_after is not None:
            self.refused += 1
            self._budget.pause(retry_after)
            raise RateLimitError("status 429", retry_after)
        self._world.sleep(REQUEST_SECONDS)
        self._limiter.leave()
        fields = {"action": "query", "format": "json", "formatversion": "2", **parameters}
        query = msgspec.json.decode(self._texts.answer(fields).body, type=Answer).query
        if query is None:
            raise SourceError("no pages")
        return query


class Simulation:
    """Runs of the pipeline over so many companies.

    Parameters
    ----------
    companies
        Number of companies.
    per_minute
        Requests per minute, which the source enforces.
    batch_size
        Companies per batch; on AWS, not every batch is full.
    """

    def __init__(self, companies: int, per_minute: int, batch_size: int = PAGES_PER_REQUEST) -> None:
        self._names = [f"Company {number}" for number in range(companies)]
        self._per_minute = per_minute
        self._batch_size = batch_size
        self._revisions: dict[str, str] = {}
        self._world = VirtualTime()
        self._table = Table()
        self._limiter = Limiter(self._world.time)
        self._limiter.set(Limits(per_minute_with_contact=per_minute, at_once=REQUESTS_AT_ONCE))
        self._texts = TextSource([], {})
        self._texts.generate_texts(True)

    def run(self) -> Run:
        """Run the pipeline once; the first time, all companies are new."""
        started = self._world.now
        waiting: deque[tuple[float, str]] = deque((started, name) for name in self._names)  # ordered by time
        apis = [self._api() for _ in range(ANALYSE_CONCURRENCY)]
        postponed: list[int] = []

        def work(api: LimitedApi) -> None:
            source = Wikipedia(api, "en", sleep=self._world.sleep)  # pyright: ignore[reportArgumentType] - a stand-in
            while waiting:
                now = self._world.now
                ready = min(self._batch_size, sum(time <= now for time, _ in waiting))
                batch = [waiting.popleft()[1] for _ in range(ready)]
                if not batch:
                    self._world.sleep(waiting[0][0] - now)
                    continue
                postponed.append(self._observe(source, batch, waiting))
                self._world.sleep(BATCH_SECONDS)

        self._world.run([lambda api=api: work(api) for api in apis])
        return Run(
            self._world.now - started,
            sum(api.requests for api in apis),
            sum(api.refused for api in apis),
            sum(postponed),
        )

    def _api(self) -> LimitedApi:
        clock = self._world
        budget = RequestBudget(self._table, "budget", self._per_minute, clock.time, clock.time, clock.sleep)
        return LimitedApi(clock, self._texts, self._limiter, budget)

    def _observe(self, source: Wikipedia, batch: list[str], waiting: deque[tuple[float, str]]) -> int:
        wanted = [Wanted(name, self._revisions.get(name, "")) for name in batch]
        postponed = 0
        for one, found in source.fetch(wanted, self._world.now + TEXT_SECONDS).items():
            if isinstance(found, Text):
                self._revisions[one.title] = found.revision
            elif isinstance(found, SourceError):
                postponed += 1
                waiting.append((self._world.now + max(1, found.retry_after), one.title))
        ordered = sorted(waiting)
        waiting.clear()
        waiting.extend(ordered)
        return postponed


def main() -> None:
    """Print a table."""
    logger.setLevel("ERROR")
    print("| Companies | Requests per minute | First run | Later runs | Requests per company | Refused |")
    print("|---|---|---|---|---|---|")
    for per_minute in LIMITS:
        for companies in COMPANIES:
            simulation = Simulation(companies, per_minute)
            first, later = simulation.run(), simulation.run()
            per_company = f"{first.requests / companies:.3f}, then {later.requests / companies:.3f}"
            refused = first.refused + later.refused
            print(
                f"| {companies:,} | {per_minute} | {_time(first.seconds)} | {_time(later.seconds)} | {per_company} "
                f"| {refused} |"
            )


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    main()
