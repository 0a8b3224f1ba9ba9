"""Program of `translate` jobs: translates each document into a document of the same format."""

from __future__ import annotations

from typing import Any

from handlers.batch.comprehend import Comprehend
from handlers.batch.job import Job
from handlers.batch.report import Report, now, report_of_job
from handlers.batch.translate.documents import Translator
from handlers.batch.translate.engine import Engine
from handlers.common.clients import aws_client
from schema.languages import AUTOMATIC


def run(job: Job, options: Any) -> Report:
    """Translate the documents of this instance.

    Parameters
    ----------
    job
        The job.
    options
        Its options, as `TRANSLATE_JOB` declares them.

    Raises
    ------
    JobError
        The engine cannot be used.
    """
    started = now()
    # Without a need for AWS, no client is made: the container may have no network, and so no region.
    detect = Comprehend(aws_client("comprehend", attempts=1)).language if options.source == AUTOMATIC else None
    engine = _engine(job, options)
    translator = Translator(
        source=options.source,
        target=options.target,
        engine=engine,
        detect=detect,
        limits=job.limits,
        document_seconds=job.environment.document_seconds,
    )
    documents = translator.translate_all(
        job.documents, job.output, job.document_names(), job.environment.document_workers
    )
    engine.close()
    return report_of_job(job, documents, started)


def _engine(job: Job, options: Any) -> Engine:
    if options.engine == "marian":
        from handlers.batch.translate.marian import MarianEngine

        return MarianEngine(job.model)
    from handlers.batch.translate.amazon import AmazonEngine

    client = aws_client("translate", attempts=1)
    return AmazonEngine(client.translate_text, options.target, job.environment.request_workers)
