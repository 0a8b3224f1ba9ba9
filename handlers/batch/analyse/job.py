"""Program of `analyse` jobs: analyses each document, and the corpus of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from handlers.batch.allowance import Allowance
from handlers.batch.analyse import work
from handlers.batch.analyse.analyser import Analyser
from handlers.batch.analyse.batches import Batches
from handlers.batch.analyse.corpus import write_corpus
from handlers.batch.analyse.document import Analysis
from handlers.batch.comprehend import Comprehend
from handlers.batch.errors import JobError
from handlers.batch.job import Job
from handlers.batch.outputs import new_file
from handlers.batch.report import Report
from handlers.batch.share import Share
from handlers.common.clients import aws_client

# What each of several instances leaves for `merge`: one analysis per line.
ANALYSES_FILE = "analyses.jsonl"
# Documents at the same time: more than twice as many as share a call, so that calls are full.
_WORKERS = 64


def run(job: Job, options: Any) -> Report:
    """Analyse the documents of this instance, and the corpus if there is no other instance.

    Parameters
    ----------
    job
        The job.
    options
        Its options, as `ANALYSE_JOB` declares them.
    """
    analyser: Analyser | None = None

    def save() -> None:
        if analyser:
            write_results(job, analyser.analyses, options.topics)

    with Share(job, work, save) as share:
        environment = job.environment
        batches = Batches(Comprehend(aws_client("comprehend", attempts=1)), environment.request_workers)
        analyser = Analyser(
            language=options.language,
            summary_sentences=options.summary_sentences,
            batches=batches,
            limits=job.limits,
            clock=share.clock,
            conversations=share.conversations,
            allowance=Allowance(job.max_characters),
        )
        share.check_characters(partial(analyser.task, only_count=True))
        workers = environment.document_workers or _WORKERS
        batches.expect(len(share.left), workers)
        share.work(workers, partial(analyser.analyse, job.documents))
        batches.close()
        save()
        return share.report()


def write_results(job: Job, analyses: Sequence[Analysis], topics: int | None) -> None:
    """Write what was found until now: the results, or what this one of several instances leaves for `merge`."""
    if job.is_alone:
        write_corpus(job.output, analyses, topics)
        return
    encoder = msgspec.json.Encoder()
    with new_file(job.part / ANALYSES_FILE) as file:
        for analysis in sorted(analyses, key=lambda one: one.name):
            file.writelines((encoder.encode(analysis), b"\n"))


def merge(parts: Sequence[Path], output: Path, options: Any) -> None:
    """Analyse the corpus of the documents that several instances have analysed.

    Parameters
    ----------
    parts
        Folders of the instances.
    output
        Folder of the job's results.
    options
        The job's options.

    Raises
    ------
    JobError
        A part cannot be read.
    """
    decoder = msgspec.json.Decoder(Analysis)
    analyses: list[Analysis] = []
    for part in parts:
        try:
            with (part / ANALYSES_FILE).open("rb") as file:
                analyses += [decoder.decode(line) for line in file]
        except (OSError, msgspec.DecodeError) as error:
            raise JobError(f"The part of {part.name} cannot be read: {error}") from error
    write_corpus(output, analyses, options.topics)
