"""Companies, runs and observations: the tables and objects of the sentiment pipeline."""

from __future__ import annotations

import re
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
# Sort key of the copy of a company's newest observation; all others are named by their run.
LATEST = "latest"
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
)
# A run's id, such as `20261121T065200Z-1a2b3c4d`: names sort by the time at which the run was started.
RUN_PATTERN = r"\A[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}\Z"
_RUN = re.compile(RUN_PATTERN)

# Labels of Amazon Comprehend.
Sentiment = Literal["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"]
# Labels without a sentiment: no page, a page that lists several meanings, a text that Comprehend refuses.
Unanalysed = Literal["NOT_FOUND", "AMBIGUOUS", "UNSUPPORTED"]
Label = Literal["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED", "NOT_FOUND", "AMBIGUOUS", "UNSUPPORTED"]


def is_run(text: str) -> bool:
    """Tell whether a text has the form of a run's id."""
    return _RUN.match(text) is not None


def results_prefix(run: str) -> str:
    """Make the prefix of a run's result objects: `sentiment/dt=2026-11-21/<run>-`; `dt` is the day of the run."""
    return f"{RESULTS_PREFIX}dt={run[:4]}-{run[4:6]}-{run[6:8]}/{run}-"
