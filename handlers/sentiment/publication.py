"""What a batch publishes for one run: the summary and the rows of the looks that it has claimed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from handlers.common.logs import logger
from handlers.sentiment.batch import Batch, Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.records import Claim
from handlers.sentiment.results import Summary, object_key, summary_key, summary_to_csv, to_csv

_CSV = "text/csv; charset=utf-8"


class Publication:
    """The companies of one run in a batch, and what becomes of each.

    Parameters
    ----------
    batch
        The batch; told the outcome of each message.
    run
        The run.
    token
        Names the objects.
    messages
        By company, the message of this run.
    """

    def __init__(self, batch: Batch, run: str, token: str, messages: dict[str, CompanyMessage]) -> None:
        self.run = run
        self.token = token
        self.messages = messages
        self._batch = batch
        self._claims: list[Claim] = []
        self._counts: Counter[str] = Counter()

    def add(self, claim: Claim) -> None:
        """Publish a look that this batch has claimed."""
        self._claims.append(claim)

    def count_calls(self, made: int, saved: int) -> None:
        """Count analyses that were made, and analyses that were used again."""
        self._counts.update(calls_made=made, calls_saved=saved)

    def fail(self, company: str, failure: Failure) -> None:
        """Let a message come back, because the company could not be looked at; it may only have to wait for a turn."""
        self._counts["failed"] += failure.counts
        self._batch.fail(self.messages[company], failure)

    def wait(self, company: str, seconds: float) -> None:
        """Let a message come back when the other invocation that is at work on it has ended."""
        self._batch.fail(self.messages[company], Failure("another invocation is publishing it", seconds))

    def skip(self, company: str) -> None:
        """Let a message go whose look was published before."""
        self._batch.skip(self.messages[company])

    def overtake(self, company: str) -> None:
        """Let a message go because a newer run has looked at the company."""
        self._counts["overtaken"] += 1
        self._batch.overtake(self.messages[company])

    def publish(self, s3: Any, bucket: str, time: str, retry_after: float) -> None:
        """Write the objects. Looks whose objects were not written come back.

        Parameters
        ----------
        s3
            An S3 client.
        bucket
            Bucket of the objects.
        time
            Time of the summary, in UTC, ISO 8601.
        retry_after
            Seconds after which other invocations may take over the claims.
        """
        rows = [claim for claim in self._claims if claim.object == object_key(self.run, self.token)]
        counted = [claim for claim in self._claims if claim.batch == self.token]
        failures: dict[str, Failure] = {}

        def write(what: str, key: str, body: bytes, claims: list[Claim]) -> None:
            try:
                s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=_CSV)
            except Exception as error:
                failure = Failure(f"{what} not writable: {error}", retry_after)
                logger.warning("object not written", extra={"key": key, "reason": failure.reason})
                failures.update({claim.observation.company: failure for claim in claims})

        if counted or self._counts.total():  # nothing is told of a batch that has only repeated messages
            summary = summary_to_csv(self._summary(counted, time))
            write("batch summary", summary_key(self.run, self.token), summary, counted)
        if rows:
            content = to_csv([claim.observation for claim in rows])
            write("result object", object_key(self.run, self.token), content, rows)
        for claim in self._claims:
            failure = failures.get(claim.observation.company)
            if failure:
                self._batch.fail(self.messages[claim.observation.company], failure)
            else:
                self._batch.succeed(claim.observation)

    def _summary(self, counted: list[Claim], time: str) -> Summary:
        labels = Counter(claim.observation.label for claim in counted)
        changed = sum(bool(claim.object) for claim in counted)
        return Summary(
            run=self.run,
            time=time,
            looked_at=len(counted),
            changed=changed,
            unchanged=len(counted) - changed,
            not_found=labels["NOT_FOUND"],
            ambiguous=labels["AMBIGUOUS"],
            failed=self._counts["failed"],
            overtaken=self._counts["overtaken"],
            calls_made=self._counts["calls_made"],
            calls_saved=self._counts["calls_saved"],
        )
