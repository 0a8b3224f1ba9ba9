"""Publishing observations exactly once, though messages are delivered at least once.

An observation is claimed in the table, then its row is put into a result object. A message that is delivered again
finds the claim. If it was published, there is nothing to do. If its writer may still be at work, the message comes back
later. If its writer has given up, this invocation publishes the row of the claim.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from handlers.sentiment.batch import Batch, Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observations import Claim, Observation, Observations
from handlers.sentiment.observing import Observer
from handlers.sentiment.results import object_key, to_csv

# How far apart the clocks of two invocations' hosts may be.
CLOCK_MARGIN_SECONDS = 5


class Publisher:
    """Writes observations to the table and to result objects.

    Parameters
    ----------
    table
        The table of observations.
    s3
        An S3 client.
    bucket
        Bucket of the result objects.
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
        observer.fetch([one for one in batch.messages if not previous[one.company, one.run].claim], latest)
        for run in sorted({message.run for message in batch.messages}):
            messages = {message.company: message for message in batch.messages if message.run == run}
            claims = {company: claim for company in messages if (claim := previous[company, run].claim)}
            self._run_one(batch, observer, run, messages, claims, latest)

    def _run_one(
        self,
        batch: Batch,
        observer: Observer,
        run: str,
        messages: dict[str, CompanyMessage],
        claims: dict[str, Claim],
        latest: dict[str, Observation],
    ) -> None:
        abandoned = self._abandoned(batch, messages, claims)
        unclaimed = [message for company, message in messages.items() if company not in claims]
        observed, failures = observer.observe(unclaimed, latest)
        latest.update({observation.company: observation for observation in observed})
        for message, failure in failures.items():
            batch.fail(message, failure)
        observations = observed + [claim.observation for claim in abandoned.values()]
        if observations:
            self._publish(batch, run, messages, observations, abandoned)

    def _abandoned(
        self, batch: Batch, messages: dict[str, CompanyMessage], claims: dict[str, Claim]
    ) -> dict[str, Claim]:
        """Find the claimed observations that still have to be published."""
        abandoned: dict[str, Claim] = {}
        published: dict[str, bool] = {}
        now = self._now()  # before the bucket is listed, because a writer may finish meanwhile
        for company, claim in claims.items():
            try:
                if claim.object not in published:
                    published[claim.object] = self._is_published(claim.object)
            except Exception as error:  # a published row that is taken for an abandoned one would show twice
                batch.fail(messages[company], Failure(f"results not listable: {error}"))
                continue
            if published[claim.object]:
                batch.skip(messages[company])
            elif claim.claimed_until > now:
                left = claim.claimed_until - now
                batch.fail(messages[company], Failure("another invocation is publishing it", left))
            else:
                abandoned[company] = claim
        return abandoned

    def _is_published(self, key: str) -> bool:
        return self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)["KeyCount"] > 0

    def _publish(
        self,
        batch: Batch,
        run: str,
        messages: dict[str, CompanyMessage],
        observations: list[Observation],
        abandoned: dict[str, Claim],
    ) -> None:
        key = object_key(run)
        claims = [Claim(observation, key, self._claimed_until) for observation in observations]
        try:
            written = self._table.write(claims, abandoned)
        except Exception as error:
            for claim in claims:
                batch.fail(messages[claim.observation.company], Failure(f"observation not writable: {error}"))
            return
        ours = [claim.observation for claim in written]
        left = self._claimed_until - self._now()
        for company in {observation.company for observation in observations} - {mine.company for mine in ours}:
            batch.fail(messages[company], Failure("another invocation is publishing it", left))
        if not ours:
            return
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=to_csv(ours), ContentType="text/csv; charset=utf-8")
        except Exception as error:
            for observation in ours:
                batch.fail(messages[observation.company], Failure(f"result object not writable: {error}", left))
            return
        for observation in ours:
            batch.succeed(observation)
