"""`report.json`: what became of every document, and what the job cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import msgspec

from handlers.batch.outputs import write_bytes
from handlers.batch.prices import Cost, estimate
from handlers.batch.work import Work

FILE_NAME = "report.json"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# So many reasons fit into the cause of a failed job.
_NAMED_FAILURES = 3


class DocumentReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one document.

    Attributes
    ----------
    name
        Path below the project's documents.
    reason
        Why it failed, in words for the user.
    seconds
        Time from its first byte read to its last result.
    characters
        Characters of text, without markup.
    output
        Path of the result below the job's results, where a document has one of its own.
    notes
        What the user should know of a document that was delivered.
    usage
        Paid quantities by the names of `prices.py`.
    """

    name: str
    status: Literal["completed", "failed"]
    seconds: float
    characters: int = msgspec.field(default_factory=int)
    reason: str | None = None
    output: str | None = None
    notes: list[str] = []
    usage: dict[str, int] = {}


class Totals(msgspec.Struct, frozen=True):
    """Sums over all documents."""

    documents: int
    completed: int
    failed: int
    characters: int
    document_seconds: float
    usage: dict[str, int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report.

    Attributes
    ----------
    instances
        How many share the job's documents.
    seconds
        Duration of the job; with several instances, of the slowest.
    """

    job: str
    kind: str
    options: dict[str, Any]
    instances: int
    started_at: str
    finished_at: str
    seconds: float
    totals: Totals
    estimated_cost: Cost
    documents: list[DocumentReport]


def completed(name: str, work: Work, output: str | None = None) -> DocumentReport:
    """Report a document that was delivered."""
    return DocumentReport(
        name=name,
        status="completed",
        seconds=round(work.seconds, 3),
        characters=work.characters,
        output=output,
        notes=list(work.notes),
        usage=dict(work.usage),
    )


def failed(name: str, work: Work, reason: str) -> DocumentReport:
    """Report a document that was not delivered; what it has cost until then counts."""
    return DocumentReport(
        name=name,
        status="failed",
        seconds=round(work.seconds, 3),
        characters=work.characters,
        reason=reason,
        usage=dict(work.usage),
    )


def make_report(
    *,
    job: str,
    kind: str,
    options: dict[str, Any],
    documents: Iterable[DocumentReport],
    started: datetime,
    finished: datetime,
    instances: int = 1,
) -> Report:
    """Add up a report; the order of the documents is that of their names."""
    ordered = sorted(documents, key=lambda document: document.name)
    totals = _totals(ordered)
    return Report(
        job=job,
        kind=kind,
        options=options,
        instances=instances,
        started_at=_iso(started),
        finished_at=_iso(finished),
        seconds=round((finished - started).total_seconds(), 3),
        totals=totals,
        estimated_cost=estimate(totals.usage),
        documents=ordered,
    )


def write_report(folder: Path, report: Report) -> None:
    """Write `report.json` into a folder."""
    write_bytes(folder / FILE_NAME, msgspec.json.format(msgspec.json.encode(report)))


def undelivered(report: Report) -> str | None:
    """Say why a job with documents has delivered nothing, where that is so: the first reasons."""
    if not report.totals.documents or report.totals.completed:
        return None
    reasons = [f"{document.name}: {document.reason}" for document in report.documents[:_NAMED_FAILURES]]
    more = report.totals.documents - len(reasons)
    rest = f" and {more} more, see {FILE_NAME}" if more else ""
    return f"No document could be processed. {' '.join(reasons)}{rest}"


def now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(timezone.utc)  # noqa: UP017 - `datetime.UTC` is not in SageMaker's Python 3.10


def _iso(moment: datetime) -> str:
    return moment.strftime(TIME_FORMAT)


def _totals(documents: list[DocumentReport]) -> Totals:
    usage: Counter[str] = Counter()
    for document in documents:
        usage.update(document.usage)
    delivered = sum(document.status == "completed" for document in documents)
    return Totals(
        documents=len(documents),
        completed=delivered,
        failed=len(documents) - delivered,
        characters=sum(document.characters for document in documents),
        document_seconds=round(sum(document.seconds for document in documents), 3),
        usage=dict(sorted(usage.items())),
    )
