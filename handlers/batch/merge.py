"""The `merge` job: turns what the instances of a job have left into what one instance would have written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from handlers.batch.errors import JobError
from handlers.batch.programs import program_of
from handlers.batch.report import FILE_NAME, TIME_FORMAT, Report, make_report
from handlers.common.job_options import OPTIONS_OF_KIND
from schema.jobs import KINDS


def merge(parts: Path, output: Path) -> Report:
    """Put the parts of a job together.

    Parameters
    ----------
    parts
        Folder with one folder per instance.
    output
        Folder of the job's results; the program of the job's kind writes further results there.

    Returns
    -------
    The report of the whole job.

    Raises
    ------
    JobError
        A part is missing or damaged, or the parts belong to different jobs.
    """
    folders = sorted(path.parent for path in parts.glob(f"*/{FILE_NAME}"))
    if not folders:
        raise JobError(f"There is nothing to merge: no instance has left a {FILE_NAME}.")
    reports = [_read_report(folder) for folder in folders]
    first = reports[0]
    if any((report.job, report.kind, report.options) != (first.job, first.kind, first.options) for report in reports):
        raise JobError("The parts to merge belong to different jobs.")
    if len(reports) != first.instances:
        raise JobError(f"Only {len(reports)} of {first.instances} instances have left their part of the results.")
    merge_results = program_of(KINDS[first.kind]).merge
    if merge_results:
        merge_results(folders, output, msgspec.convert(first.options, OPTIONS_OF_KIND[first.kind]))
    return make_report(
        job=first.job,
        kind=first.kind,
        options=first.options,
        documents=[document for report in reports for document in report.documents],
        started=min(_moment(report.started_at) for report in reports),
        finished=max(_moment(report.finished_at) for report in reports),
        instances=first.instances,
        is_complete=all(report.is_complete for report in reports),
    )


def _read_report(folder: Path) -> Report:
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Report)
    except msgspec.DecodeError as error:
        raise JobError(f"The report of {folder.name} cannot be read: {error}") from error


def _moment(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
