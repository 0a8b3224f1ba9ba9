"""Analysis of documents: many at the same time, their parts sent to Amazon Comprehend in full batches."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec

from handlers.batch.allowance import Allowance
from handlers.batch.analyse.batches import Batches
from handlers.batch.analyse.document import Analysis
from handlers.batch.analyse.work import AnalyseTask
from handlers.batch.budget import Budget
from handlers.batch.clock import JobClock
from handlers.batch.comprehend import Answer as Found
from handlers.batch.comprehend import dominant_language
from handlers.batch.documents.registry import Limits
from handlers.batch.errors import BROKEN_RULES, DocumentError, internal_error
from handlers.batch.isolation.conversation import Conversations
from handlers.batch.isolation.messages import (
    Analyse,
    Analysed,
    Answer,
    AskLanguage,
    Finding,
    Language,
    Request,
)
from handlers.batch.report import DocumentReport, completed, failed
from handlers.common.logs import logger

_SCORES = ("Positive", "Negative", "Neutral", "Mixed")


class Analyser:
    """Analyses documents. Called from several threads.

    Parameters
    ----------
    language
        Language of all documents; None to detect it for each document.
    summary_sentences
        Sentences in the summary of a document.
    batches
        Calls of Amazon Comprehend.
    limits
        Limits of the documents that are read.
    clock
        Time limits of the documents.
    conversations
        Work on documents.
    allowance
        Characters that may be sent.
    """

    def __init__(
        self,
        *,
        language: str | None,
        summary_sentences: int,
        batches: Batches,
        limits: Limits,
        clock: JobClock,
        conversations: Conversations,
        allowance: Allowance,
    ) -> None:
        self._language = language
        self._summary_sentences = summary_sentences
        self._batches = batches
        self._limits = limits
        self._clock = clock
        self._conversations = conversations
        self._allowance = allowance
        self._lock = threading.Lock()
        self._analyses: list[Analysis] = []

    @property
    def analyses(self) -> list[Analysis]:
        """Analyses of the documents that are done."""
        with self._lock:
            return list(self._analyses)

    def task(self, path: Path, only_count: bool = False) -> AnalyseTask:
        """Make the task for a document.

        Raises
        ------
        DocumentError
            The job has no time left.
        """
        return AnalyseTask(
            path=str(path),
            seconds=self._clock.document_seconds(),
            only_count=only_count,
            limits=self._limits,
            language=self._language or "",
            summary_sentences=self._summary_sentences,
        )

    def analyse(self, source: Path, name: str) -> DocumentReport:
        """Analyse a document.

        Parameters
        ----------
        source
            Folder of the documents.
        name
            Path of the document below `source`.

        Returns
        -------
        The outcome.
        """
        budget = Budget(0)
        try:
            path = source / name
            task = self.task(path)
            budget = Budget(task.seconds)
            done = self._conversations.hold(path, task, budget, lambda request: self._answer(request, budget))
            self._take(name, done.result)
        except DocumentError as error:
            logger.warning("document failed", extra={"document": name, "reason": str(error)})
            return failed(name, budget, str(error))
        except Exception as error:
            logger.exception("document failed unexpectedly", extra={"document": name})
            return failed(name, budget, internal_error(type(error).__name__))
        finally:
            self._batches.leave()
        logger.info("document analysed", extra={"document": name})
        return completed(name, budget)

    def _take(self, name: str, result: msgspec.Raw) -> None:
        analysis = msgspec.structs.replace(msgspec.msgpack.decode(result, type=Analysis), name=name)
        with self._lock:
            self._analyses.append(analysis)

    def _answer(self, request: Request, budget: Budget) -> Answer:
        match request:
            case AskLanguage():
                return Language(*dominant_language(_good(self._batches.language(request.text, budget))))
            case Analyse():
                characters = sum(map(len, request.texts))
                self._allowance.spend(characters)
                budget.send(characters)
                found = self._batches.analyse(request.texts, request.language, budget)
                return Analysed([_finding(_good(sentiment), _good(phrases)) for sentiment, phrases in found])
        raise DocumentError(BROKEN_RULES)


def _good(answer: Found) -> dict[str, Any]:
    """Give an answer; a failed detection fails the document."""
    if isinstance(answer, DocumentError):
        raise answer
    return answer


def _finding(sentiment: dict[str, Any], phrases: dict[str, Any]) -> Finding:
    scores = sentiment["SentimentScore"]
    return Finding(
        (scores[_SCORES[0]], scores[_SCORES[1]], scores[_SCORES[2]], scores[_SCORES[3]]),
        [(phrase["Text"], phrase["Score"]) for phrase in phrases["KeyPhrases"]],
    )
