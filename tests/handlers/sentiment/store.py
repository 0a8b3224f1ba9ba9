"""The table of observations on a fake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from handlers.sentiment.observations import Observations, Written
from handlers.sentiment.records import Claim, Observation
from handlers.sentiment.sentiments import Scores
from handlers.sentiment.texts import Text
from tests.handlers.aws_fakes import TABLE, FakeDynamoDB
from tests.handlers.sentiment.pipeline import RUN

SCORES = Scores(0.7, 0.1, 0.15, 0.05)
UNTIL = 1_795_000_030


class Store:
    """The table on a fake, with the waits between attempts."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.dynamodb = FakeDynamoDB()
        self.waits: list[float] = []
        self.table = Observations(self.dynamodb, TABLE, 90, threads, self.waits.append)

    def write(self, *claims: Claim, texts: dict[str, Text] | None = None) -> list[str]:
        """Write claims on what the table holds now; returns the companies of those that were written."""
        written = self.attempt(*claims, texts=texts)
        assert written.errors == {}
        return [claim.observation.company for claim in written.claims]

    def attempt(
        self, *claims: Claim, texts: dict[str, Text] | None = None, latest: dict[str, Observation] | None = None
    ) -> Written:
        if latest is None:
            keys = [(claim.observation.company, claim.observation.run) for claim in claims]
            previous = self.table.previous(keys)
            latest = {company: past.latest for (company, _), past in previous.items() if past.latest}
            self.dynamodb.calls.clear()
        return self.table.write(list(claims), texts or {}, latest)

    def take_over(self, old: Claim, new: Claim) -> bool:
        return self.table.take_over([(old, new)]).claims == [new]

    def records(self) -> list[tuple[str, str]]:
        return sorted(self.dynamodb.items)


def claim(
    company: str, run: str = RUN, key: str = "object 1", batch: str = "batch 1", until: int = UNTIL, **more: Any
) -> Claim:
    observation = Observation(run, "2026-11-21T06:52:00Z", company, "POSITIVE", SCORES, **more)
    return Claim(observation, key, batch, until)


def look(company: str, run: str, **more: Any) -> Claim:
    """A look that found nothing new."""
    return claim(company, run, key="", unchanged=True, **more)
