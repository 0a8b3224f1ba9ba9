"""The batch program: reads what to do, does it for the documents of this instance, and reports."""

from __future__ import annotations

import os
from pathlib import Path

from handlers.batch import stopping
from handlers.batch.errors import DocumentsError, JobError
from handlers.batch.isolation.confinement import Confinement
from handlers.batch.job import Job, exit_message_file, read_job
from handlers.batch.memory import document_peak_megabytes, peak_megabytes
from handlers.batch.merge import merge
from handlers.batch.programs import program_of
from handlers.batch.report import Report, is_of_documents, undelivered, write_report
from handlers.common.logs import logger, start_request
from handlers.common.metrics import emit_counts
from schema.jobs import OF_DOCUMENTS_MARK

# Amazon SageMaker: bytes of an exit message.
_MESSAGE_BYTES = 1024


def main() -> int:
    """Run the job of this container.

    Returns
    -------
    The exit code. 0: the job is done. 1: it failed, and SageMaker gets the reason as its exit message. A job of which
    no document could be processed returns 0 and has an exit message too, because SageMaker uploads the report only
    then; the state machine fails it. 143: it was asked to stop, and has written what it has done until then.
    """
    stopping.listen()
    # The processes of documents may run as the same user.
    Confinement().protect_this()
    root = Path(os.environ.get("PROCESSING_ROOT", "/opt/ml/processing"))
    try:
        run(read_job())
    except JobError as error:
        logger.error("job failed", extra={"reason": str(error)})
        _write_exit_message(root, str(error), of_documents=isinstance(error, DocumentsError))
        return 1
    except Exception as error:
        logger.exception("job failed unexpectedly")
        _write_exit_message(root, f"The job failed because of an internal error ({type(error).__name__}): {error}")
        return 1
    return stopping.EXIT_CODE if stopping.is_stopping() else 0


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
    start_request(None, job=job.environment.job_id, kind=job.environment.job_kind, host=job.resources.current_host)
    kind = job.kind
    _publish(job, program_of(kind).run(job, job.options) if kind else merge(job.parts, job.output))


def _publish(job: Job, report: Report) -> None:
    """Write the report, and the exit message if a job that is whole has delivered nothing."""
    is_whole = job.is_alone or job.kind is None
    write_report(job.output if is_whole else job.part, report)
    totals = report.totals
    counts = {
        "Documents": totals.documents,
        "DocumentsFailed": totals.failed,
        "Characters": totals.characters,
        "Seconds": round(report.seconds),
        "PeakMegabytes": peak_megabytes(),
        "DocumentPeakMegabytes": document_peak_megabytes(),
    }
    emit_counts(f"batch-{job.environment.job_kind}", counts, job=job.environment.job_id)
    logger.info("job done", extra={"documents": totals.documents, "failed": totals.failed, "seconds": report.seconds})
    reason = undelivered(report) if is_whole else None
    if reason:
        logger.error("nothing delivered", extra={"reason": reason})
        _write_exit_message(job.root, reason, of_documents=is_of_documents(report))


def _write_exit_message(root: Path, message: str, *, of_documents: bool = False) -> None:
    message = OF_DOCUMENTS_MARK + message if of_documents else message
    path = exit_message_file(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.encode()[:_MESSAGE_BYTES].decode(errors="ignore").encode())
    except OSError:
        logger.exception("the exit message could not be written")
