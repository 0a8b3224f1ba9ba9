"""Companies, runs and observations: the tables and objects of the sentiment pipeline."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

# Table of companies: partition key, and the title of the company's page where it differs from the name.
COMPANY_KEY = "name"
PAGE = "page"
# When a company was added, and by whom: the user's id.
ADDED_AT = "added_at"
ADDED_BY = "added_by"
# Table of observations: partition key, sort key, and time-to-live attribute.
OBSERVATION_KEY = "company"
OBSERVATION_SORT_KEY = "record"
OBSERVATION_EXPIRES = "expires_at"
# Sort key of the item that holds a company's newest observation; its observations are named by their run.
LATEST = "latest"
# Analysed texts, in the same table: partition key and sort key. The sort key is neither a run nor `latest`, so no
# company has such an item, whatever its name.
TEXT_PARTITION = "text#{text_hash}"
TEXT_RECORD = "text"
# An item of at most so many bytes takes one write unit.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
WRITE_UNIT_BYTES = 1024
# Separates the candidates in a cell of a result object. Titles of MediaWiki cannot contain it.
CANDIDATE_SEPARATOR = "|"
# Prefix of result objects, and their columns.
RESULTS_PREFIX = "sentiment/"
RESULT_COLUMNS = (
    "run",
    "observed_at",
    "company",
    "label",
    "positive",
    "negative",
    "neutral",
    "mixed",
    "language",
    "revision",
    "unchanged",
    "snippet",
    "text_hash",
    "page",
    "candidates",
    "reason",
)
# Prefix of the objects that sum up a batch, and their columns.
BATCHES_PREFIX = "sentiment-batches/"
BATCH_COLUMNS = (
    "run",
    "time",
    "looked_at",
    "changed",
    "unchanged",
    "not_found",
    "ambiguous",
    "failed",
    "overtaken",
    "calls_made",
    "calls_saved",
)
# A run's id, such as `20261121T065200Z-1a2b3c4d`: names sort by the time at which the run was started.
RUN_PATTERN = r"\A[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}\Z"
_RUN = re.compile(RUN_PATTERN)
# How far the clocks of those who start runs may be ahead.
RUN_AHEAD = timedelta(minutes=5)

# Labels of Amazon Comprehend.
Sentiment = Literal["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"]
# Labels without a sentiment: no page, a page that lists several meanings, a text that Comprehend refuses.
Unanalysed = Literal["NOT_FOUND", "AMBIGUOUS", "UNSUPPORTED"]
Label = Literal["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED", "NOT_FOUND", "AMBIGUOUS", "UNSUPPORTED"]


def is_run(text: str) -> bool:
    """Tell whether a text has the form of a run's id."""
    return _RUN.match(text) is not None


def run_started_at(run: str) -> datetime:
    """Read the time at which a run was started, in UTC.

    Raises
    ------
    ValueError
        The text is not the id of a run, or its time does not exist.
    """
    if not is_run(run):
        raise ValueError("expected a run, such as 20261121T065200Z-1a2b3c4d")
    try:
        return datetime.strptime(run[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("expected a run that starts with a time in UTC, such as 20261121T065200Z") from None


def is_ahead(run: str, now: datetime) -> bool:
    """Tell whether a run lies in the future, so that its id is wrong; one that is no run counts as such."""
    try:
        return run_started_at(run) > now + RUN_AHEAD
    except ValueError:
        return True


def results_prefix(run: str) -> str:
    """Make the prefix of a run's result objects: `sentiment/dt=2026-11-21/<run>-`; `dt` is the day of the run."""
    return f"{RESULTS_PREFIX}{_day(run)}/{run}-"


def batches_prefix(run: str) -> str:
    """Make the prefix of the objects that sum up a run's batches: `sentiment-batches/dt=2026-11-21/<run>-`."""
    return f"{BATCHES_PREFIX}{_day(run)}/{run}-"


def _day(run: str) -> str:
    return f"dt={run[:4]}-{run[4:6]}-{run[6:8]}"
