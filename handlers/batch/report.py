"""`report.json`: the outcome of every document, and the cost of the job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from handlers.batch.budget import Budget
from handlers.batch.errors import is_internal
from handlers.batch.job import Job
from handlers.batch.outputs import write_bytes
from handlers.batch.prices import Cost, estimate

FILE_NAME = "report.json"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Reasons that fit into the cause of a failed job.
_NAMED_FAILURES = 3


class DocumentReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Outcome of one document.

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
    counted_characters
        Characters that were counted before anything was paid for: at least as many as are sent.
    sent_characters
        Characters that were sent to paid services, each once.
    output
        Path of the result below the job's results, where a document has one of its own.
    notes
        Remarks about a document that was delivered.
    usage
        Paid quantities by the names of `prices.py`.
    """

    name: str
    status: Literal["completed", "failed"]
    seconds: float
    characters: int = msgspec.field(default_factory=int)
    counted_characters: int = 0
    sent_characters: int = 0
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
    counted_characters: int
    sent_characters: int
    document_seconds: float
    usage: dict[str, int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report.

    Attributes
    ----------
    instances
        Instances that share the job's documents.
    seconds
        From the start of the first instance to the end of the last.
    is_complete
        Whether the job has come to its end; false while it runs, and when it was stopped.
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
    is_complete: bool = True


def completed(name: str, budget: Budget, output: str | None = None) -> DocumentReport:
    """Report a document that was delivered."""
    return DocumentReport(
        name=name,
        status="completed",
        seconds=round(budget.seconds, 3),
        characters=budget.characters,
        counted_characters=budget.counted,
        sent_characters=budget.sent,
        output=output,
        notes=list(budget.notes),
        usage=dict(budget.usage),
    )


def failed(name: str, budget: Budget, reason: str) -> DocumentReport:
    """Report a document that was not delivered; what it has cost until then counts."""
    return DocumentReport(
        name=name,
        status="failed",
        seconds=round(budget.seconds, 3),
        characters=budget.characters,
        counted_characters=budget.counted,
        sent_characters=budget.sent,
        reason=reason,
        usage=dict(budget.usage),
    )


def report_of_job(job: Job, documents: Iterable[DocumentReport], started: datetime, is_complete: bool = True) -> Report:
    """Report the work of this instance on a job until now."""
    return make_report(
        job=job.environment.job_id,
        kind=job.environment.job_kind,
        options=msgspec.to_builtins(job.options),
        documents=documents,
        started=started,
        finished=now(),
        instances=len(job.resources.hosts),
        is_complete=is_complete,
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
    is_complete: bool = True,
) -> Report:
    """Make a report with the documents sorted by name, and their sums."""
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
        is_complete=is_complete,
    )


def write_report(folder: Path, report: Report) -> None:
    """Write `report.json` into a folder."""
    write_bytes(folder / FILE_NAME, msgspec.json.format(msgspec.json.encode(report)))


def undelivered(report: Report) -> str | None:
    """Say why a job with documents has not done them all, or has delivered none; None where it has done its work."""
    if not report.is_complete:
        totals = report.totals
        return (
            "The job had to end before all its documents were done. "
            f"Of {totals.documents}, {totals.completed} are done; their results are kept, see {FILE_NAME}."
        )
    if not report.totals.documents or report.totals.completed:
        return None
    reasons = [f"{document.name}: {document.reason}" for document in report.documents[:_NAMED_FAILURES]]
    more = report.totals.documents - len(reasons)
    rest = f" and {more} more, see {FILE_NAME}" if more else ""
    return f"No document could be processed. {' '.join(reasons)}{rest}"


def is_of_documents(report: Report) -> bool:
    """Tell whether nothing but the documents themselves is why documents failed; a lack of time is another reason."""
    reasons = (document.reason for document in report.documents if document.reason)
    return report.is_complete and not any(map(is_internal, reasons))


def now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(UTC)


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
        counted_characters=sum(document.counted_characters for document in documents),
        sent_characters=sum(document.sent_characters for document in documents),
        document_seconds=round(sum(document.seconds for document in documents), 3),
        usage=dict(sorted(usage.items())),
    )
