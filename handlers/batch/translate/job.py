"""Program of `translate` jobs: translates each document into a document of the same format."""

from __future__ import annotations

from functools import partial
from typing import Any

from handlers.batch.allowance import Allowance
from handlers.batch.comprehend import Comprehend
from handlers.batch.job import Job
from handlers.batch.report import Report
from handlers.batch.share import Share
from handlers.batch.translate import work
from handlers.batch.translate.engine import Engine
from handlers.batch.translate.translator import Translator
from handlers.common.clients import aws_client
from schema.languages import AUTOMATIC

# Documents at the same time: enough that requests of some wait while others are read.
_WORKERS = 16


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
    with Share(job, work) as share:
        engine = _engine(job, options)
        translator = _translator(job, options, engine, share)
        if options.engine != "marian":  # which costs nothing
            share.check_characters(partial(translator.task, only_count=True))
        share.work(
            job.environment.document_workers or _WORKERS, partial(translator.translate, job.documents, job.output)
        )
        if not share.is_stopped:
            engine.close()
        return share.report()


def _translator(job: Job, options: Any, engine: Engine, share: Share) -> Translator:
    # Without a need for AWS, no client is made: the container may have no network, and so no region.
    detect = Comprehend(aws_client("comprehend", attempts=1)).language if options.source == AUTOMATIC else None
    return Translator(
        source=options.source,
        target=options.target,
        engine=engine,
        detect=detect,
        limits=job.limits,
        clock=share.clock,
        conversations=share.conversations,
    )


def _engine(job: Job, options: Any) -> Engine:
    if options.engine == "marian":
        from handlers.batch.translate.marian import MarianEngine

        return MarianEngine(job.model)
    from handlers.batch.translate.amazon import AmazonEngine

    client = aws_client("translate", attempts=1)
    return AmazonEngine(
        client.translate_text,
        options.target,
        job.environment.request_workers,
        allowance=Allowance(job.max_characters),
    )
