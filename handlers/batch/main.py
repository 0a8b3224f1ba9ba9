"""The batch program: reads what to do, does it for the documents of this instance, and reports."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from handlers.batch.documents.registry import Limits
from handlers.batch.documents.word_package import WordLimits
from handlers.batch.errors import JobError
from handlers.batch.job import Job, exit_message_file, read_job
from handlers.batch.memory import peak_megabytes
from handlers.batch.report import DocumentReport, Report, make_report, now, undelivered, write_report
from handlers.batch.translate.engine import Engine
from handlers.common.job_options import AUTOMATIC, AnalyseOptions, TranslateOptions
from handlers.common.logs import logger, start_request
from handlers.common.metrics import emit_counts

# SageMaker: at most 1 KB in `ExitMessage`.
_MAX_MESSAGE = 1024
# Folder of what each of several instances leaves for `merge`, below the job's results.
PARTS_FOLDER = "parts"


def main() -> int:
    """Run the job of this container.

    Returns
    -------
    The exit code: 0 when the job was done, 1 when it failed; then SageMaker gets the reason as its exit message. A job
    of which no document could be processed is done and has an exit message, too: SageMaker uploads its report, and the
    state machine fails it.
    """
    root = Path(os.environ.get("PROCESSING_ROOT", "/opt/ml/processing"))
    try:
        run(read_job())
    except JobError as error:
        logger.error("job failed", extra={"reason": str(error)})
        _leave_message(root, str(error))
        return 1
    except Exception as error:
        logger.exception("job failed unexpectedly")
        _leave_message(root, f"The job failed because of an internal error ({type(error).__name__}): {error}")
        return 1
    return 0


def run(job: Job) -> None:
    """Do a job.

    Raises
    ------
    JobError
        It cannot be done.
    """
    region = os.environ.get("AWS_REGION")
    if region:  # boto3 reads the other name only
        os.environ.setdefault("AWS_DEFAULT_REGION", region)
    kind = job.environment.job_kind
    start_request(None, job=job.environment.job_id, kind=kind, host=job.resources.current_host)
    if isinstance(job.options, TranslateOptions):
        report = _translate(job, job.options)
    elif isinstance(job.options, AnalyseOptions):
        report = _analyse(job, job.options)
    else:
        from handlers.batch.merge import merge

        report = merge(job.parts, job.output)
    _publish(job, report)


def document_names(folder: Path) -> list[str]:
    """Paths of all documents below a folder, in a fixed order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _translate(job: Job, options: TranslateOptions) -> Report:
    from handlers.batch.comprehend import Comprehend
    from handlers.batch.translate.documents import Translator
    from handlers.common.clients import aws_client

    started = now()
    environment = job.environment
    # A job that needs no service of AWS makes no client either: it may have no network, and so no region.
    detect = Comprehend(aws_client("comprehend", attempts=1)).language if options.source == AUTOMATIC else None
    engine = _engine(job, options)
    translator = Translator(options, engine, detect, _limits(job), environment.document_seconds)
    names = document_names(job.documents)
    documents = translator.translate_all(job.documents, job.output, names, environment.document_workers)
    engine.close()
    return _report(job, documents, started)


def _engine(job: Job, options: TranslateOptions) -> Engine:
    if options.engine == "marian":
        from handlers.batch.translate.marian import MarianEngine

        return MarianEngine(job.model)
    from handlers.batch.translate.amazon import AmazonEngine
    from handlers.common.clients import aws_client

    client = aws_client("translate", attempts=1)
    return AmazonEngine(client.translate_text, options.target, job.environment.request_workers)


def _analyse(job: Job, options: AnalyseOptions) -> Report:
    from handlers.batch.analyse.job import Analyser, analyse_alone, analyse_part
    from handlers.batch.comprehend import Comprehend
    from handlers.common.clients import aws_client

    started = now()
    environment = job.environment
    comprehend = Comprehend(aws_client("comprehend", attempts=1))
    analyser = Analyser(options, comprehend, _limits(job), environment.document_seconds)
    names = document_names(job.documents)
    if job.is_alone:
        documents = analyse_alone(analyser, job.documents, job.output, names, environment.request_workers, options)
    else:
        documents = analyse_part(analyser, job.documents, _part(job), names, environment.request_workers)
    return _report(job, documents, started)


def _report(job: Job, documents: list[DocumentReport], started: datetime) -> Report:
    return make_report(
        job=job.environment.job_id,
        kind=job.environment.job_kind,
        options=msgspec.to_builtins(job.options),
        documents=documents,
        started=started,
        finished=now(),
        instances=len(job.resources.hosts),
    )


def _publish(job: Job, report: Report) -> None:
    """Write the report, and leave word where a job that is whole has delivered nothing."""
    is_whole = job.is_alone or job.options is None
    write_report(job.output if is_whole else _part(job), report)
    totals = report.totals
    counts = {
        "Documents": totals.documents,
        "DocumentsFailed": totals.failed,
        "Characters": totals.characters,
        "Seconds": round(report.seconds),
        "PeakMegabytes": peak_megabytes(),
    }
    emit_counts(f"batch-{job.environment.job_kind}", counts, job=job.environment.job_id)
    logger.info("job done", extra={"documents": totals.documents, "failed": totals.failed, "seconds": report.seconds})
    reason = undelivered(report) if is_whole else None
    if reason:
        logger.error("nothing delivered", extra={"reason": reason})
        _leave_message(job.root, reason)


def _part(job: Job) -> Path:
    return job.output / PARTS_FOLDER / job.resources.current_host


def _limits(job: Job) -> Limits:
    environment = job.environment
    return Limits(environment.max_document_bytes, WordLimits(environment.max_expanded_bytes, environment.max_pages))


def _leave_message(root: Path, message: str) -> None:
    path = exit_message_file(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.encode()[:_MAX_MESSAGE].decode(errors="ignore").encode())
    except OSError:
        logger.exception("the exit message could not be written")
