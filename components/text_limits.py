"""Limits on requests to the text source: the limit that holds, and whether schedule and companies fit in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from schema import wikipedia

MORE = "Wikimedia Enterprise sells more: https://enterprise.wikimedia.com"

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_MINUTES_PER_DAY = 24 * 60


class TextLimits:
    """The limit on requests to the text source, and what has to fit in it.

    Parameters
    ----------
    per_minute
        Requests per minute; by default, Wikipedia's limit.
    contact
        Whether Wikipedia is told whom its operators can turn to.
    is_wikipedia
        Whether the text source is Wikipedia.
    schedule
        When runs start, as EventBridge writes it; empty if nothing starts them.
    companies
        Number of companies; None if it is not known.
    batches, batch_seconds
        Batches at once, and the time limit of each in seconds.

    Attributes
    ----------
    per_minute
        Requests per minute.
    companies_that_fit
        Number of companies that each run can look at before the next one starts; None where nothing starts runs.
    """

    def __init__(
        self,
        *,
        per_minute: int | None,
        contact: bool,
        is_wikipedia: bool,
        schedule: str,
        companies: int | None,
        batches: int,
        batch_seconds: int,
    ) -> None:
        default = wikipedia.REQUESTS_PER_MINUTE_WITH_CONTACT if contact else wikipedia.REQUESTS_PER_MINUTE
        self.per_minute = default if per_minute is None else per_minute
        self._contact = contact
        self._is_wikipedia = is_wikipedia
        self._schedule = schedule
        self._companies = companies
        self._batches = batches
        self._batch_seconds = batch_seconds
        interval = interval_seconds(schedule)
        self.companies_that_fit = wikipedia.companies_that_fit(self.per_minute, interval) if interval else None

    def warnings(self) -> Iterator[str]:
        """Tell what does not fit."""
        if self._is_wikipedia:
            yield from self._of_wikipedia()
        # A changed page needs two requests, which wait for those of the other batches, in half of the time.
        needed = math.ceil(2 * 2 * self._batches * wikipedia.seconds_per_request(self.per_minute))
        if self._batch_seconds < needed:
            yield (
                f"sentiment.analyse_timeout_seconds is {self._batch_seconds}. At {self.per_minute} requests to the "
                f"text source per minute, for {self._batches} batches at once, changed pages may wait for ever: "
                f"set it to at least {needed}."
            )
        if self._companies and self.companies_that_fit is not None and self._companies > self.companies_that_fit:
            minutes = math.ceil(wikipedia.seconds_for(self._companies, self.per_minute) / 60)
            more = f" ({MORE})" if self._is_wikipedia else ""
            yield (
                f"{self._companies:,} companies do not fit in {self._schedule}: at {self.per_minute} requests to the "
                f"text source per minute, a run takes about {_minutes(minutes)}, and only {self.companies_that_fit:,} "
                f"companies fit. Some runs will be left out. Set sentiment.schedule to rate({_minutes(minutes)}) or "
                f"longer, or get a higher limit{more}."
            )

    def _of_wikipedia(self) -> Iterator[str]:
        least, most = wikipedia.REQUESTS_PER_MINUTE, wikipedia.REQUESTS_PER_MINUTE_WITH_CONTACT
        if not self._contact:
            yield (
                f"Wikipedia is not told whom to contact, so it allows {least} requests per minute instead of {most}. "
                "Set sentiment.contact to your e-mail address or web page."
            )
        if self.per_minute > (most if self._contact else least):
            yield (
                f"sentiment.text_requests_per_minute is {self.per_minute}, but Wikipedia allows "
                f"{most if self._contact else least}: it will refuse requests, and all companies will have to wait."
            )


def interval_seconds(schedule: str) -> int | None:
    """Return the shortest time between two starts of a schedule; None where it is not known.

    Parameters
    ----------
    schedule
        EventBridge's `rate(...)` or `cron(...)`. Of the latter, minutes and hours count, as if it started every day.
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
    """
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule):
        return int(rate[1]) * _UNITS[rate[2]]
    if cron := re.fullmatch(r"cron\((\S+) (\S+)( \S+){4}\)", schedule):
        minutes, hours = _values(cron[1], 60), _values(cron[2], 24)
        starts = sorted(60 * hour + minute for hour in hours for minute in minutes)
        following = [*starts[1:], *(start + _MINUTES_PER_DAY for start in starts[:1])]
        return 60 * min((after - start for start, after in zip(starts, following, strict=True)), default=0) or None
    return None


def _values(field: str, end: int) -> set[int]:
    """List the numbers below `end` that a field of `cron(...)` names; none where it cannot be read."""
    values: set[int] = set()
    for part in field.split(","):
        found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", part)
        if not found or found[3] in ("0", "00"):
            return set()
        first, step = int(found[1] or 0), int(found[3] or 1)
        is_single = found[1] and not found[2] and not found[3]
        last = first if is_single else int(found[2] or end - 1)
        values |= set(range(first, min(last, end - 1) + 1, step))
    return values


def _minutes(count: int) -> str:
    return "1 minute" if count == 1 else f"{count:,} minutes"
