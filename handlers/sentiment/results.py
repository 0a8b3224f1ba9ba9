"""Result objects in S3: observations as CSV (RFC 4180)."""

from __future__ import annotations

import csv
import io
import secrets

from handlers.sentiment.observations import Observation
from schema.companies import RESULTS_PREFIX

HEADER = (
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


def object_key(run: str) -> str:
    """Make the key of a new object for rows of a run. Keys are unique, so no object replaces another.

    Returns
    -------
    Such as `sentiment/dt=2026-11-21/20261121T065200Z-1a2b3c4d-0123456789abcdef.csv`; `dt` is the day of the run.
    """
    return f"{RESULTS_PREFIX}dt={run[:4]}-{run[4:6]}-{run[6:8]}/{run}-{secrets.token_hex(8)}.csv"


def to_csv(observations: list[Observation]) -> bytes:
    """Write observations as rows under a header, in UTF-8 with CRLF line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
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
