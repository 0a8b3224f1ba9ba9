"""Publishing observations exactly once, though messages are delivered at least once.

A look at a company is claimed in the table. Then the batch's summary, which counts it, is put into the bucket, and the
row, where something is new, into a result object. A message that is delivered again finds the claim. If both objects
are there, there is nothing to do. If their writer may still be at work, the message comes back later. If the writer has
given up, this invocation publishes what is missing.

Runs look at a company in order. A run that finds a newer one there is overtaken: it has nothing to add.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from handlers.sentiment.batch import Batch, Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observations import Observations, Written
from handlers.sentiment.observing import Observer
from handlers.sentiment.publication import Publication
from handlers.sentiment.records import Claim, Observation, Previous, fit_latest
from handlers.sentiment.results import new_token, object_key, summary_key
from schema.companies import is_ahead

# How far apart the clocks of two invocations' hosts may be.
CLOCK_MARGIN_SECONDS = 5


class Publisher:
    """Writes observations to the table and to objects.

    Parameters
    ----------
    table
        The table of observations.
    s3
        An S3 client.
    bucket
        Bucket of the objects.
    seconds
        Time left for the whole invocation; no other invocation takes over its claims before.
    now
        Returns the time, in seconds since 1970.
    """

    def __init__(
        self, table: Observations, s3: Any, bucket: str, seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._s3 = s3
        self._bucket = bucket
        self._now = now
        self._claimed_until = int(now() + seconds) + CLOCK_MARGIN_SECONDS

    def run(self, batch: Batch, observer: Observer) -> None:
        """Observe and publish a batch's companies, run by run, and note the outcome of each in the batch."""
        if not batch.messages:
            return
        try:
            previous = self._table.previous([(message.company, message.run) for message in batch.messages])
        except Exception as error:  # nothing was done yet, so all messages come back
            for message in batch.messages:
                batch.fail(message, Failure(f"observations not readable: {error}"))
            return
        latest = {company: found.latest for (company, _), found in previous.items() if found.latest}
        new = [one for one in batch.messages if not previous[one.company, one.run].claim]
        observer.fetch([one for one in new if not self._is_overtaken(one.run, latest.get(one.company))], latest)
        for run in sorted({message.run for message in batch.messages}):
            messages = {message.company: message for message in batch.messages if message.run == run}
            claims = {company: claim for company in messages if (claim := previous[company, run].claim)}
            publication = Publication(batch, run, new_token(), messages)
            self._take_over(publication, claims)
            self._observe(publication, observer, claims, latest)
            publication.publish(self._s3, self._bucket, self._time(), retry_after=self._left(self._claimed_until))

    def _take_over(self, publication: Publication, claims: dict[str, Claim]) -> None:
        """Claim what other invocations have claimed and not published."""
        pairs: list[tuple[Claim, Claim]] = []
        known: dict[str, bool] = {}
        now = self._now()  # before the bucket is listed, because a writer may finish meanwhile
        for company, claim in claims.items():
            try:
                has_row = not claim.object or self._exists(claim.object, known)
                is_counted = not claim.batch or self._exists(summary_key(publication.run, claim.batch), known)
            except Exception as error:  # a published row that is taken for an abandoned one would show twice
                publication.fail(company, Failure(f"results not listable: {error}"))
                continue
            if has_row and is_counted:
                publication.skip(company)
            elif claim.claimed_until > now:
                publication.wait(company, claim.claimed_until - now)
            else:
                key = claim.object if has_row else object_key(publication.run, publication.token)
                token = claim.batch if is_counted else publication.token
                pairs.append((claim, Claim(claim.observation, key, token, self._claimed_until)))
        if pairs:
            written = self._table.take_over(pairs)
            self._settle(publication, [new for _, new in pairs], written)

    def _exists(self, key: str, known: dict[str, bool]) -> bool:
        if key not in known:
            known[key] = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)["KeyCount"] > 0
        return known[key]

    def _observe(
        self,
        publication: Publication,
        observer: Observer,
        claims: dict[str, Claim],
        latest: dict[str, Observation],
    ) -> None:
        """Look at the companies that the run has not looked at yet, and claim the looks."""
        wanted: list[CompanyMessage] = []
        for company, message in publication.messages.items():
            if company in claims:
                continue
            if self._is_overtaken(publication.run, latest.get(company)):
                publication.overtake(company)
            else:
                wanted.append(message)
        observed = observer.observe(wanted, latest)
        publication.count_calls(observed.calls_made, observed.calls_saved)
        for message, failure in observed.failures.items():
            publication.fail(message.company, failure)
        key = object_key(publication.run, publication.token)
        made = [
            Claim(one, "" if one.unchanged else key, publication.token, self._claimed_until)
            for one in observed.observations
        ]
        if made:
            ours = self._settle(publication, made, self._table.write(made, observed.new_texts, latest))
            latest.update({claim.observation.company: fit_latest(claim.observation) for claim in ours})

    def _settle(self, publication: Publication, made: list[Claim], written: Written) -> list[Claim]:
        """Find out what became of claims that were refused, or whose answer was lost; returns those that are ours."""
        ours = list(written.claims)
        there = {claim.observation.company for claim in ours}
        open_ones = [claim for claim in made if claim.observation.company not in there]
        found: dict[tuple[str, str], Previous] = {}
        if open_ones:
            try:
                found = self._table.previous([(claim.observation.company, publication.run) for claim in open_ones])
            except Exception as error:
                written.errors.update({claim.observation.company: error for claim in open_ones})
        for claim in open_ones:
            company = claim.observation.company
            now_there = found.get((company, publication.run), Previous())
            if _is_same(claim, now_there.claim):
                ours.append(claim)
            elif now_there.claim:
                publication.wait(company, self._left(now_there.claim.claimed_until))
            elif self._is_overtaken(publication.run, now_there.latest):
                publication.overtake(company)
            elif company in written.errors:
                publication.fail(company, Failure(f"observation not writable: {written.errors[company]}"))
            else:
                publication.fail(company, Failure("another run looked at it meanwhile"))
        for claim in ours:
            publication.add(claim)
        return ours

    def _is_overtaken(self, run: str, latest: Observation | None) -> bool:
        """Tell whether a newer run has looked; a run that lies in the future is wrong and has to be replaced."""
        if latest is None or latest.run <= run:
            return False
        return not is_ahead(latest.run, datetime.fromtimestamp(self._now(), UTC))

    def _left(self, until: int) -> float:
        return max(0.0, until - self._now())

    def _time(self) -> str:
        return f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _is_same(claim: Claim, other: Claim | None) -> bool:
    def marks(one: Claim) -> tuple[str, str, int]:
        return one.object, one.batch, one.claimed_until

    return other is not None and marks(claim) == marks(other)
