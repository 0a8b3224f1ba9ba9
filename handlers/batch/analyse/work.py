"""What the process of a document does in an `analyse` job: it reads the document and puts together what is found."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from handlers.batch.analyse.document import Analysis, DocumentAnalyser, text_parts
from handlers.batch.budget import Budget
from handlers.batch.documents.registry import Document, Limits, open_document
from handlers.batch.documents.samples import read_samples
from handlers.batch.errors import DocumentError
from handlers.batch.isolation.document import Session, Task, serve
from handlers.batch.isolation.messages import Analyse, Analysed, AskLanguage, Language
from handlers.batch.sentences import DEFAULT_LANGUAGE
from schema.languages import COMPREHEND

# Parts that are held at the same time: 2 MB of text, 32 calls.
WINDOW_PARTS = 400
_LOADED_SENTENCES = 20


class AnalyseTask(Task, frozen=True, kw_only=True):
    """A document to analyse.

    Attributes
    ----------
    limits
        Limits of what is read.
    language
        Language of the document; empty to detect it.
    summary_sentences
        Sentences in its summary.
    """

    limits: Limits
    language: str = ""
    summary_sentences: int = 3


def load() -> None:
    """Prepare what documents need, so that it is there when the process of a document begins."""
    budget = Budget(float("inf"))

    def analyse(document: Document) -> None:
        analyser = DocumentAnalyser(budget, DEFAULT_LANGUAGE)
        text = "\n".join(document.paragraphs(budget))
        for number in range(_LOADED_SENTENCES):
            analyser.read(f"{text} {number} {chr(ord('a') + number) * 5}")
        analyser.analysis(3)

    read_samples(analyse)


def work(connection: socket.socket, _: list[int]) -> None:
    """Analyse a document.

    Parameters
    ----------
    connection
        Connection to the program.
    """
    serve(connection, AnalyseTask, _analyse)


def _analyse(session: Session, task: AnalyseTask, budget: Budget) -> Analysis | int:
    document = open_document(Path(task.path), task.limits, session.guard(budget))
    if task.only_count:
        return document.count()
    analyser = DocumentAnalyser(budget, task.language)
    paragraphs = document.paragraphs(budget)
    has_text = False
    for parts in _windows(text_parts(paragraphs, task.language or DEFAULT_LANGUAGE)):
        has_text = True
        _analyse_window(session, analyser, parts)
        budget.check()
    if not has_text:
        raise DocumentError("It has no text.")
    if analyser.language not in COMPREHEND:
        budget.note(f"Its language is `{analyser.language}`: no sentiment, no key phrases.")
    return analyser.analysis(task.summary_sentences)


def _analyse_window(session: Session, analyser: DocumentAnalyser, parts: list[str]) -> None:
    """Have parts analysed, and read their words and sentences meanwhile."""
    if not analyser.language:
        session.send(AskLanguage(parts[0]))
        found = session.receive(Language)
        analyser.set_language(found.code, found.score)
    is_known = analyser.language in COMPREHEND
    if is_known:
        session.send(Analyse(parts, analyser.language))
    for part in parts:
        analyser.read(part)
    if is_known:
        for part, finding in zip(parts, session.receive(Analysed).findings, strict=True):
            analyser.add(part, finding)


def _windows(parts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(parts)
    while window := list(islice(rest, WINDOW_PARTS)):
        yield window
