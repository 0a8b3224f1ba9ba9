"""Result objects in S3: observations as CSV (RFC 4180)."""

from __future__ import annotations

import csv
import io
import secrets

from handlers.sentiment.observations import Observation
from schema.companies import RESULT_COLUMNS, results_prefix


def object_key(run: str) -> str:
    """Make the key of a new object for rows of a run. Keys are unique, so no object replaces another.

    Returns
    -------
    Such as `sentiment/dt=2026-11-21/20261121T065200Z-1a2b3c4d-0123456789abcdef.csv`; `dt` is the day of the run.
    """
    return f"{results_prefix(run)}{secrets.token_hex(8)}.csv"


def to_csv(observations: list[Observation]) -> bytes:
    """Write observations as rows under a header, in UTF-8 with CRLF line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(RESULT_COLUMNS)
    writer.writerows(_row(observation) for observation in observations)
    return out.getvalue().encode()


def _row(observation: Observation) -> list[str]:
    scores = observation.scores
    figures = [scores.positive, scores.negative, scores.neutral, scores.mixed] if scores else [""] * 4
    return [
        observation.run,
        observation.observed_at,
        observation.company,
        observation.label,
        *(str(figure) for figure in figures),
        observation.language,
        observation.revision,
        "true" if observation.unchanged else "false",
        observation.snippet,
    ]
