"""Program of `analyse` jobs: analyses each document, and the corpus of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from handlers.batch.analyse.analyser import Analyser
from handlers.batch.analyse.corpus import write_corpus
from handlers.batch.analyse.document import Analysis
from handlers.batch.comprehend import Comprehend
from handlers.batch.errors import JobError
from handlers.batch.job import Job
from handlers.batch.outputs import atomic_file
from handlers.batch.report import DocumentReport, Report, now, report_of_job
from handlers.common.clients import aws_client

# What each of several instances leaves for `merge`: one analysis per line.
ANALYSES_FILE = "analyses.jsonl"


def run(job: Job, options: Any) -> Report:
    """Analyse the documents of this instance, and the corpus if there is no other instance.

    Parameters
    ----------
    job
        The job.
    options
        Its options, as `ANALYSE_JOB` declares them.
    """
    started = now()
    analyser = Analyser(
        language=options.language,
        summary_sentences=options.summary_sentences,
        comprehend=Comprehend(aws_client("comprehend", attempts=1)),
        limits=job.limits,
        document_seconds=job.environment.document_seconds,
    )
    names, workers = job.document_names(), job.environment.request_workers
    if job.is_alone:
        documents = analyse_alone(analyser, job.documents, job.output, names, workers, options.topics)
    else:
        documents = analyse_part(analyser, job.documents, job.part, names, workers)
    return report_of_job(job, documents, started)


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


def analyse_alone(
    analyser: Analyser, source: Path, output: Path, names: Sequence[str], workers: int, topics: int | None
) -> list[DocumentReport]:
    """Analyse all documents of a job and their corpus."""
    analyses: list[Analysis] = []
    reports = analyser.analyse_all(source, names, workers, analyses.append)
    write_corpus(output, analyses, topics)
    return reports


def analyse_part(
    analyser: Analyser, source: Path, output: Path, names: Sequence[str], workers: int
) -> list[DocumentReport]:
    """Analyse this instance's documents, and leave the analyses for `merge`."""
    encoder = msgspec.json.Encoder()
    with atomic_file(output / ANALYSES_FILE) as path, path.open("wb") as file:
        return analyser.analyse_all(
            source, names, workers, lambda analysis: file.writelines((encoder.encode(analysis), b"\n"))
        )
