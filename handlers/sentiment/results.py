"""Objects in S3, as CSV (RFC 4180): rows of observations, and summaries of batches."""

from __future__ import annotations

import secrets

import msgspec

from handlers.sentiment.records import Observation
from schema.companies import BATCH_COLUMNS, CANDIDATE_SEPARATOR, RESULT_COLUMNS, batches_prefix, results_prefix
from schema.csv_rows import Cell, write_rows


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch did for a run. Over all batches, each look is counted once.

    Attributes
    ----------
    time
        When the batch was written, in UTC, ISO 8601.
    looked_at
        Companies that were looked at: `changed` and `unchanged` together.
    changed, unchanged
        Companies of which something new was observed, and those that say the same as before.
    not_found, ambiguous
        Those among them without a page, and with several possible pages.
    failed
        Companies that could not be looked at and come back; one that fails again is counted again.
    overtaken
        Companies that were not looked at, or not written, because a newer run had looked at them already.
    calls_made
        Texts that were analysed, which is paid for.
    calls_saved
        Texts whose analysis was used again.
    """

    run: str
    time: str
    looked_at: int
    changed: int
    unchanged: int
    not_found: int
    ambiguous: int
    failed: int
    overtaken: int
    calls_made: int
    calls_saved: int


def new_token() -> str:
    """Make a token that names the objects of a batch. Tokens are unique, so no object replaces another."""
    return secrets.token_hex(8)


def object_key(run: str, token: str) -> str:
    """Make the key of an object for rows of a run.

    Returns
    -------
    Such as `sentiment/dt=2026-11-21/20261121T065200Z-1a2b3c4d-0123456789abcdef.csv`; `dt` is the day of the run.
    """
    return f"{results_prefix(run)}{token}.csv"


def summary_key(run: str, token: str) -> str:
    """Make the key of the object with a batch's summary: as `object_key`, but below `sentiment-batches/`."""
    return f"{batches_prefix(run)}{token}.csv"


def to_csv(observations: list[Observation]) -> bytes:
    """Write observations as rows under a header."""
    return write_rows([RESULT_COLUMNS, *(_row(observation) for observation in observations)])


def summary_to_csv(summary: Summary) -> bytes:
    """Write a summary as a row under a header."""
    return write_rows([BATCH_COLUMNS, [getattr(summary, column) for column in BATCH_COLUMNS]])


def _row(observation: Observation) -> list[Cell]:
    scores = observation.scores
    return [
        observation.run,
        observation.observed_at,
        observation.company,
        observation.label,
        *([scores.positive, scores.negative, scores.neutral, scores.mixed] if scores else [None] * 4),
        observation.language,
        observation.revision,
        observation.unchanged,
        observation.snippet,
        observation.text_hash,
        observation.page,
        CANDIDATE_SEPARATOR.join(observation.candidates),
        observation.reason,
    ]
