"""The `analyse` job: documents are read one after the other, and their parts are analysed in full batches.

Parts of several documents share a call, so that a thousand short documents do not cost a thousand calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from handlers.batch.analyse.corpus import write_corpus
from handlers.batch.analyse.document import Analysis, DocumentAnalyser, text_parts
from handlers.batch.comprehend import BATCH_SIZE, Answers, Comprehend, dominant_language
from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.errors import DocumentError, internal_error
from handlers.batch.outputs import atomic_file
from handlers.batch.report import DocumentReport, completed, failed
from handlers.batch.sentences import DEFAULT_LANGUAGE
from handlers.batch.work import Work
from handlers.common.job_options import COMPREHEND_LANGUAGES, AnalyseOptions
from handlers.common.logs import logger

# What an instance leaves for `merge`: one analysis a line.
ANALYSES_FILE = "analyses.jsonl"
# Parts that are held at the same time: 2 MB of text, 32 calls.
_WINDOW = 400


class _Part(NamedTuple):
    """A part of a document; the last one of each has no text."""

    document: DocumentAnalyser
    text: str


class Analyser:
    """Analyses the documents of this instance.

    Parameters
    ----------
    options
        Of the job.
    comprehend
        Amazon Comprehend.
    limits
        Of what is read.
    document_seconds
        Time limit of each document.
    """

    def __init__(
        self, options: AnalyseOptions, comprehend: Comprehend, limits: Limits, document_seconds: float
    ) -> None:
        self._options = options
        self._comprehend = comprehend
        self._limits = limits
        self._seconds = document_seconds

    def analyse_all(
        self, source: Path, names: Sequence[str], workers: int, take: Callable[[Analysis], None]
    ) -> list[DocumentReport]:
        """Analyse documents.

        Parameters
        ----------
        source
            Folder of the documents.
        names
            Paths of the documents below `source`.
        workers
            Calls of Amazon Comprehend at the same time.
        take
            Gets each analysis, in the order of `names`.

        Returns
        -------
        What became of each document.
        """
        reports: list[DocumentReport] = []
        with ThreadPoolExecutor(max_workers=workers) as threads:
            for window in _windows(self._parts(source, names)):
                self._analyse_window([part for part in window if part.text and not part.document.failure], threads)
                reports += [self._finish(part.document, take) for part in window if not part.text]
        return reports

    def _parts(self, source: Path, names: Sequence[str]) -> Iterator[_Part]:
        for name in names:
            document = DocumentAnalyser(name, Work(self._seconds))
            document.language = self._options.language or ""
            count = 0
            try:
                paragraphs = open_document(source / name, self._limits).paragraphs(document.work)
                for text in text_parts(paragraphs, self._options.language or DEFAULT_LANGUAGE):
                    count += 1
                    yield _Part(document, text)
                    if document.failure:
                        break
                if not count:
                    document.failure = "It has no text."
            except DocumentError as error:
                document.failure = document.failure or str(error)
            except Exception as error:
                logger.exception("document failed unexpectedly", extra={"document": name})
                document.failure = internal_error(error)
            yield _Part(document, "")

    def _analyse_window(self, parts: list[_Part], threads: ThreadPoolExecutor) -> None:
        self._find_languages(parts, threads)
        known = [part for part in parts if not part.document.failure]
        calls: list[tuple[list[_Part], Future[Answers], Future[Answers]]] = []
        for language, group in groupby(sorted(known, key=_language), key=_language):
            if language in COMPREHEND_LANGUAGES:
                for batch in _chunks(list(group)):
                    texts, works = [part.text for part in batch], [part.document.work for part in batch]
                    sentiments = threads.submit(self._comprehend.sentiments, texts, language, works)
                    phrases = threads.submit(self._comprehend.key_phrases, texts, language, works)
                    calls.append((batch, sentiments, phrases))
        for part in known:  # while Comprehend is at work
            part.document.read(part.text)
        for batch, sentiments, phrases in calls:
            for part, sentiment, phrase in zip(batch, sentiments.result(), phrases.result(), strict=True):
                _apply(part, sentiment, phrase)

    def _find_languages(self, parts: list[_Part], threads: ThreadPoolExecutor) -> None:
        """Find the language of documents that begin in this window, by their first part."""
        first = {id(part.document): part for part in reversed(parts) if not part.document.language}
        batches = _chunks([part for part in parts if first.get(id(part.document)) is part])
        futures = [
            threads.submit(
                self._comprehend.languages, [part.text for part in batch], [part.document.work for part in batch]
            )
            for batch in batches
        ]
        for batch, future in zip(batches, futures, strict=True):
            for part, answer in zip(batch, future.result(), strict=True):
                if isinstance(answer, DocumentError):
                    part.document.failure = str(answer)
                else:
                    part.document.language, part.document.language_score = dominant_language(answer)

    def _finish(self, document: DocumentAnalyser, take: Callable[[Analysis], None]) -> DocumentReport:
        if not document.failure:
            try:
                if document.language not in COMPREHEND_LANGUAGES:
                    document.work.note(f"Its language is `{document.language}`: no sentiment, no key phrases.")
                take(document.analysis(self._options.summary_sentences))
                logger.info("document analysed", extra={"document": document.name})
                return completed(document.name, document.work)
            except Exception as error:
                logger.exception("document failed unexpectedly", extra={"document": document.name})
                document.failure = internal_error(error)
        logger.warning("document failed", extra={"document": document.name, "reason": document.failure})
        return failed(document.name, document.work, document.failure)


def analyse_alone(
    analyser: Analyser, source: Path, output: Path, names: Sequence[str], workers: int, options: AnalyseOptions
) -> list[DocumentReport]:
    """Analyse the documents of a job with one instance, and write the corpus' results."""
    analyses: list[Analysis] = []
    reports = analyser.analyse_all(source, names, workers, analyses.append)
    write_corpus(output, analyses, options.topics)
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


def _apply(part: _Part, sentiment: dict[str, Any] | DocumentError, phrases: dict[str, Any] | DocumentError) -> None:
    document = part.document
    for answer in (sentiment, phrases):
        if isinstance(answer, DocumentError):
            document.failure = document.failure or str(answer)
    if not document.failure and isinstance(sentiment, dict) and isinstance(phrases, dict):
        document.add_sentiment(part.text, sentiment)
        document.add_key_phrases(phrases)


def _language(part: _Part) -> str:
    return part.document.language


def _chunks(parts: list[_Part]) -> list[list[_Part]]:
    return [parts[start : start + BATCH_SIZE] for start in range(0, len(parts), BATCH_SIZE)]


def _windows(parts: Iterator[_Part]) -> Iterator[list[_Part]]:
    window: list[_Part] = []
    texts = 0
    for part in parts:
        window.append(part)
        texts += bool(part.text)
        if texts >= _WINDOW:
            yield window
            window, texts = [], 0
    if window:
        yield window
