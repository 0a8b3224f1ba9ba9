"""What the process of a document does in a `translate` job: it reads the document and writes the translated one."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from handlers.batch.budget import Budget
from handlers.batch.documents.pieces import Target
from handlers.batch.documents.registry import Document, Limits, open_document
from handlers.batch.documents.samples import read_samples
from handlers.batch.errors import DocumentError
from handlers.batch.isolation.document import Session, Task, serve
from handlers.batch.isolation.messages import AskLanguage, Language, Translate, Translated
from handlers.batch.sentences import DEFAULT_LANGUAGE
from handlers.batch.translate.translation import Translation
from schema.languages import AUTOMATIC

# Characters and texts that are sent to the program in one message.
_MESSAGE_CHARACTERS = 500_000
_MESSAGE_TEXTS = 50_000


class TranslateTask(Task, frozen=True, kw_only=True):
    """A document to translate.

    Attributes
    ----------
    limits
        Limits of what is read.
    source, target
        Languages; the source may be `auto`.
    """

    limits: Limits
    source: str
    target: str


def load() -> None:
    """Prepare what documents need, so that it is there when the process of a document begins."""
    budget = Budget(float("inf"))

    def rewrite(document: Document) -> None:
        document.rewrite(Target(io.BytesIO(), io.BytesIO()), _backwards, budget, DEFAULT_LANGUAGE)

    read_samples(rewrite)


def _backwards(texts: Sequence[str]) -> list[str]:
    return [" ".join(reversed(text.split())) for text in texts]


def work(connection: socket.socket, files: list[int]) -> None:
    """Translate a document.

    Parameters
    ----------
    connection
        Connection to the program.
    files
        Descriptors of the new document and of a file for what is needed meanwhile; none where the task is to count.
    """
    serve(connection, TranslateTask, partial(_translate, files))


def _translate(files: list[int], session: Session, task: TranslateTask, budget: Budget) -> int | None:
    document = open_document(Path(task.path), task.limits, session.guard(budget))
    if task.only_count:
        return document.count()
    translation = Translation(task.source, task.target, _Engine(session), partial(_detect, session), budget)
    language = DEFAULT_LANGUAGE if task.source == AUTOMATIC else task.source
    new, scratch = files
    with os.fdopen(new, "r+b") as file, os.fdopen(scratch, "r+b") as other:
        document.rewrite(Target(file, other), translation.translate, budget, language)
    if not translation.had_text:
        raise DocumentError("It has no text.")
    return None


def _detect(session: Session, text: str, _: Budget) -> str:
    session.send(AskLanguage(text))
    return session.receive(Language).code


class _Engine:
    """The job's engine, which the program has: it is asked for each window of a document."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def translate(self, texts: Sequence[str], source: str, budget: Budget) -> list[str]:
        translated: list[str] = []
        for part in _messages(texts):
            budget.check()
            self._session.send(Translate(part, source))
            answer = self._session.receive(Translated)
            translated += answer.texts
        return translated

    def close(self) -> None:
        """Hold nothing."""


def _messages(texts: Sequence[str]) -> Iterator[list[str]]:
    held: list[str] = []
    size = 0
    for text in texts:
        if held and (size + len(text) > _MESSAGE_CHARACTERS or len(held) == _MESSAGE_TEXTS):
            yield held
            held, size = [], 0
        held.append(text)
        size += len(text)
    if held:
        yield held
