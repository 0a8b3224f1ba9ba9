"""Analysis of documents: read one after the other, their parts sent to Amazon Comprehend in full batches.

Parts of several documents share a call, so a thousand short documents do not cost a thousand calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from handlers.batch.analyse.document import Analysis, DocumentAnalyser, text_parts
from handlers.batch.budget import Budget
from handlers.batch.comprehend import Answers, Comprehend
from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.errors import DocumentError, internal_error
from handlers.batch.report import DocumentReport, completed, failed
from handlers.batch.sentences import DEFAULT_LANGUAGE
from handlers.common.logs import logger
from schema.languages import COMPREHEND
from schema.limits import COMPREHEND_TEXTS

# Parts that are held at the same time: 2 MB of text, 32 calls.
_WINDOW_PARTS = 400


class _Part(NamedTuple):
    """A part of a document."""

    document: DocumentAnalyser
    text: str


class _Window(NamedTuple):
    """Parts that are analysed together, and the documents that have no parts after these."""

    parts: list[_Part]
    ended: list[DocumentAnalyser]


class Analyser:
    """Analyses the documents of this instance.

    Parameters
    ----------
    language
        Language of all documents; None to detect it for each document.
    summary_sentences
        Sentences in the summary of a document.
    comprehend
        Amazon Comprehend.
    limits
        Limits of the documents that are read.
    document_seconds
        Time limit of each document.
    """

    def __init__(
        self,
        *,
        language: str | None,
        summary_sentences: int,
        comprehend: Comprehend,
        limits: Limits,
        document_seconds: float,
    ) -> None:
        self._language = language
        self._summary_sentences = summary_sentences
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
        The outcome of each document.
        """
        reports: list[DocumentReport] = []
        with ThreadPoolExecutor(max_workers=workers) as threads:
            for window in self._windows(source, names):
                parts = [part for part in window.parts if not part.document.failure]
                self._detect_languages(parts, threads)
                self._analyse(parts, threads)
                reports += [self._finish(document, take) for document in window.ended]
        return reports

    def _windows(self, source: Path, names: Sequence[str]) -> Iterator[_Window]:
        window = _Window([], [])
        for name in names:
            document = DocumentAnalyser(name, Budget(self._seconds), self._language or "")
            for part in self._parts(source, document):
                window.parts.append(part)
                if len(window.parts) == _WINDOW_PARTS:
                    yield window
                    window = _Window([], [])
            window.ended.append(document)
        yield window

    def _parts(self, source: Path, document: DocumentAnalyser) -> Iterator[_Part]:
        """Read a document's parts, until its end or until the document has failed."""
        had_text = False
        try:
            paragraphs = open_document(source / document.name, self._limits).paragraphs(document.budget)
            for text in text_parts(paragraphs, self._language or DEFAULT_LANGUAGE):
                had_text = True
                yield _Part(document, text)
                if document.failure:
                    return
            if not had_text:
                document.fail("It has no text.")
        except DocumentError as error:
            document.fail(str(error))
        except Exception as error:
            logger.exception("document failed unexpectedly", extra={"document": document.name})
            document.fail(internal_error(error))

    def _detect_languages(self, parts: Sequence[_Part], threads: ThreadPoolExecutor) -> None:
        """Detect the language of documents that begin in this window, by their first part."""
        first = {id(part.document): part for part in reversed(parts) if not part.document.language}
        batches = _batches([part for part in parts if first.get(id(part.document)) is part])
        futures = [threads.submit(self._comprehend.languages, _texts(batch), _budgets(batch)) for batch in batches]
        for batch, future in zip(batches, futures, strict=True):
            for part, answer in zip(batch, future.result(), strict=True):
                part.document.add_language(answer)

    def _analyse(self, parts: Sequence[_Part], threads: ThreadPoolExecutor) -> None:
        """Have sentiment and key phrases detected, and read words and sentences meanwhile."""
        known = [part for part in parts if not part.document.failure]
        calls: list[tuple[list[_Part], Future[Answers], Future[Answers]]] = []
        for language, group in groupby(sorted(known, key=_language), key=_language):
            if language in COMPREHEND:
                for batch in _batches(list(group)):
                    texts, budgets = _texts(batch), _budgets(batch)
                    sentiments = threads.submit(self._comprehend.sentiments, texts, language, budgets)
                    phrases = threads.submit(self._comprehend.key_phrases, texts, language, budgets)
                    calls.append((batch, sentiments, phrases))
        for part in known:
            part.document.read(part.text)
        for batch, sentiments, phrases in calls:
            for part, sentiment, phrase in zip(batch, sentiments.result(), phrases.result(), strict=True):
                part.document.add_answers(part.text, sentiment, phrase)

    def _finish(self, document: DocumentAnalyser, take: Callable[[Analysis], None]) -> DocumentReport:
        """Hand on the analysis of a document that has not failed, and report its outcome."""
        try:
            if not document.failure:
                if document.language not in COMPREHEND:
                    document.budget.note(f"Its language is `{document.language}`: no sentiment, no key phrases.")
                take(document.analysis(self._summary_sentences))
                logger.info("document analysed", extra={"document": document.name})
                return completed(document.name, document.budget)
        except Exception as error:
            logger.exception("document failed unexpectedly", extra={"document": document.name})
            document.fail(internal_error(error))
        logger.warning("document failed", extra={"document": document.name, "reason": document.failure})
        return failed(document.name, document.budget, document.failure)


def _language(part: _Part) -> str:
    return part.document.language


def _texts(parts: Sequence[_Part]) -> list[str]:
    return [part.text for part in parts]


def _budgets(parts: Sequence[_Part]) -> list[Budget]:
    return [part.document.budget for part in parts]


def _batches(parts: Sequence[_Part]) -> list[list[_Part]]:
    return [list(parts[start : start + COMPREHEND_TEXTS]) for start in range(0, len(parts), COMPREHEND_TEXTS)]
