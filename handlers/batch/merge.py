"""The `merge` job: what the instances of a job have left becomes what one instance would have written."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import msgspec

from handlers.batch.errors import JobError
from handlers.batch.report import FILE_NAME, TIME_FORMAT, Report, make_report
from handlers.common.job_options import AnalyseOptions


def merge(parts: Path, output: Path) -> Report:
    """Put the parts of a job together.

    Parameters
    ----------
    parts
        Folder with one folder an instance.
    output
        Folder of the job's results.

    Returns
    -------
    The report of the whole job. For `analyse`, the corpus' results are written too.

    Raises
    ------
    JobError
        A part is missing or damaged, or they belong to different jobs.
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
    if first.kind == "analyse":
        _merge_analyses(folders, output, msgspec.convert(first.options, AnalyseOptions))
    return make_report(
        job=first.job,
        kind=first.kind,
        options=first.options,
        documents=[document for report in reports for document in report.documents],
        started=min(_moment(report.started_at) for report in reports),
        finished=max(_moment(report.finished_at) for report in reports),
        instances=first.instances,
    )


def _merge_analyses(folders: list[Path], output: Path, options: AnalyseOptions) -> None:
    from handlers.batch.analyse.corpus import write_corpus
    from handlers.batch.analyse.document import Analysis
    from handlers.batch.analyse.job import ANALYSES_FILE

    decoder = msgspec.json.Decoder(Analysis)
    analyses: list[Analysis] = []
    for folder in folders:
        try:
            with (folder / ANALYSES_FILE).open("rb") as file:
                analyses += [decoder.decode(line) for line in file]
        except (OSError, msgspec.DecodeError) as error:
            raise JobError(f"The part of {folder.name} cannot be read: {error}") from error
    write_corpus(output, analyses, options.topics)


def _read_report(folder: Path) -> Report:
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Report)
    except msgspec.DecodeError as error:
        raise JobError(f"The report of {folder.name} cannot be read: {error}") from error


def _moment(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=timezone.utc)  # noqa: UP017 - see `report.now`
