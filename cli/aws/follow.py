"""Following a run until every company is observed or has failed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from cli.aws.batches import read_batches
from cli.aws.deployment import Deployment
from schema.companies import LATEST, OBSERVATION_KEY, OBSERVATION_SORT_KEY
from schema.dynamodb import encode

# Between polls: at least 0.2 s, and longer the more is pending, as each poll asks for all of it.
SHORTEST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
PAUSE_GROWTH = 1.5
PENDING_A_SECOND = 2000
# The queue must look empty in this many polls in a row, and for this long, before what is pending counts as
# failed. SQS's counters are approximate; those of the embedded AWS are exact.
EMPTY_POLLS = 4
EMPTY_FOR_S = 30.0
EMPTY_FOR_LOCAL_S = 3.0

COUNTERS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass
class Outcome:
    """How a run went.

    Attributes
    ----------
    labels : Counter
        Number of companies by label.
    pending : list of str
        Companies without an observation, ordered.
    timed_out : bool
        Whether the time ran out while the work queue was still busy.
    """

    labels: Counter[str] = field(default_factory=Counter)
    pending: list[str] = field(default_factory=list)
    timed_out: bool = False


class RunFollower:
    """Watches a run from outside: it moves the latest observations, and its messages leave the work queue.

    A run that finds nothing new of a company writes no observation. It notes itself on the latest one. A company that a
    newer run has looked at meanwhile counts as observed.

    Parameters
    ----------
    deployment : Deployment
    run : str
        The run's id.
    companies : iterable of str
        Names of the companies that the run is about.
    """

    def __init__(self, deployment: Deployment, run: str, companies: Iterable[str]):
        self._dynamodb = deployment.client("dynamodb")
        self._sqs = deployment.client("sqs")
        self._table = deployment.output("observations_table")
        self._queue = deployment.output("work_queue_url")
        self._empty_for = EMPTY_FOR_LOCAL_S if deployment.is_local else EMPTY_FOR_S
        self._run = run
        self._pending = set(companies)
        self._labels: Counter[str] = Counter()

    def follow(
        self,
        timeout: timedelta,
        observed: Callable[[int], None],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Outcome:
        """Wait until the run has ended.

        Parameters
        ----------
        timeout : timedelta
            How long to wait at most.
        observed : callable
            Called with the number of companies that were observed since its last call.
        sleep, clock : callable
            Wait, and read, seconds.
        """
        deadline = clock() + timeout.total_seconds()
        pause = SHORTEST_PAUSE_S
        empty_polls, empty_since = 0, 0.0
        while True:
            # The queue is read first: what leaves it between the two is then seen in the table.
            empty = self._queue_is_empty()
            found = self._poll()
            observed(found)
            now = clock()
            if not self._pending:
                return self._outcome()
            if found or not empty:
                empty_polls = 0
            else:
                empty_since = empty_since if empty_polls else now
                empty_polls += 1
                if empty_polls >= EMPTY_POLLS and now - empty_since >= self._empty_for:
                    return self._outcome()
            if now >= deadline:
                return self._outcome(timed_out=True)
            pause = SHORTEST_PAUSE_S if found else min(LONGEST_PAUSE_S, pause * PAUSE_GROWTH)
            pause = max(pause, min(LONGEST_PAUSE_S, len(self._pending) / PENDING_A_SECOND))
            sleep(min(pause, deadline - now))

    def _poll(self) -> int:
        keys = [encode({OBSERVATION_KEY: name, OBSERVATION_SORT_KEY: LATEST}) for name in sorted(self._pending)]
        items = read_batches(self._dynamodb, self._table, keys, (OBSERVATION_KEY, "run", "label"))
        before = len(self._pending)
        for item in items:
            if item["run"] >= self._run and item[OBSERVATION_KEY] in self._pending:
                self._pending.remove(item[OBSERVATION_KEY])
                self._labels[item["label"]] += 1
        return before - len(self._pending)

    def _queue_is_empty(self) -> bool:
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=list(COUNTERS))
        return not any(int(answer["Attributes"].get(counter, 0)) for counter in COUNTERS)

    def _outcome(self, timed_out: bool = False) -> Outcome:
        return Outcome(self._labels, sorted(self._pending), timed_out)
