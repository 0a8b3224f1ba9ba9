"""Translation of documents: several at the same time, each one delivered or reported with a reason."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from handlers.batch.budget import Budget
from handlers.batch.clock import JobClock
from handlers.batch.documents.registry import Limits
from handlers.batch.errors import BROKEN_RULES, DocumentError, internal_error
from handlers.batch.isolation.conversation import Conversations
from handlers.batch.isolation.messages import Answer, AskLanguage, Language, Request, Translate, Translated
from handlers.batch.outputs import new_file
from handlers.batch.report import DocumentReport, completed, failed
from handlers.batch.translate.engine import Engine
from handlers.batch.translate.work import TranslateTask
from handlers.common.logs import logger
from schema.names import FILE_NAME_BYTES

# Folder of the translated documents, below the job's results.
OUTPUT_FOLDER = "documents"

# Detects the language of a text.
Detect = Callable[[str, Budget], str]


class Translator:
    """Translates documents. Called from several threads.

    Parameters
    ----------
    source
        Language of the documents, or `auto`.
    target
        Language to translate into.
    engine
        What translates.
    detect
        Detects the language of a text; needed where the source is `auto`.
    limits
        Limits of the documents that are read.
    clock
        Time limits of the documents.
    conversations
        Work on documents.
    """

    def __init__(
        self,
        *,
        source: str,
        target: str,
        engine: Engine,
        detect: Detect | None,
        limits: Limits,
        clock: JobClock,
        conversations: Conversations,
    ) -> None:
        self._source = source
        self._target = target
        self._engine = engine
        self._detect = detect
        self._limits = limits
        self._clock = clock
        self._conversations = conversations

    def task(self, path: Path, only_count: bool = False) -> TranslateTask:
        """Make the task for a document.

        Raises
        ------
        DocumentError
            The job has no time left.
        """
        return TranslateTask(
            path=str(path),
            seconds=self._clock.document_seconds(),
            only_count=only_count,
            limits=self._limits,
            source=self._source,
            target=self._target,
        )

    def translate(self, source: Path, output: Path, name: str) -> DocumentReport:
        """Translate a document.

        Parameters
        ----------
        source
            Folder of the documents.
        output
            Folder of the job's results.
        name
            Path of the document below `source`.

        Returns
        -------
        The outcome.
        """
        budget = Budget(0)
        try:
            path, target = _inside(source, name), f"{OUTPUT_FOLDER}/{target_name(name, self._target)}"
            task = self.task(path)
            budget = Budget(task.seconds)
            with new_file(_inside(output, target)) as file, tempfile.TemporaryFile() as scratch:
                files = (file.fileno(), scratch.fileno())
                self._conversations.hold(path, task, budget, lambda request: self._answer(request, budget), files)
        except DocumentError as error:
            logger.warning("document failed", extra={"document": name, "reason": str(error)})
            return failed(name, budget, str(error))
        except Exception as error:
            logger.exception("document failed unexpectedly", extra={"document": name})
            return failed(name, budget, internal_error(type(error).__name__))
        logger.info("document translated", extra={"document": name, "seconds": round(budget.seconds, 3)})
        return completed(name, budget, target)

    def _answer(self, request: Request, budget: Budget) -> Answer:
        match request:
            case AskLanguage() if self._detect:
                return Language(self._detect(request.text, budget), 1.0)
            case Translate():
                return Translated(self._engine.translate(request.texts, request.language, budget))
        raise DocumentError(BROKEN_RULES)


def _inside(folder: Path, name: str) -> Path:
    """Path of a file of the job's project, which must not be anywhere else.

    Raises
    ------
    DocumentError
        The name leads out of the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DocumentError("Its name leads out of the project's folder.")
    return path


def target_name(name: str, language: str) -> str:
    """Name of a translated document: the document's name with the language before the suffix."""
    path = PurePosixPath(name)
    end = f".{language}{path.suffix}"
    stem = path.stem.encode()[: FILE_NAME_BYTES - len(end.encode())].decode(errors="ignore")
    return str(path.with_name(stem + end))
