"""Translation of documents: several at the same time, each one delivered or reported with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from handlers.batch.budget import Budget
from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.errors import DocumentError, internal_error
from handlers.batch.outputs import atomic_file
from handlers.batch.report import DocumentReport, completed, failed
from handlers.batch.sentences import DEFAULT_LANGUAGE
from handlers.batch.translate.engine import Engine
from handlers.common.logs import logger
from schema.languages import AUTOMATIC, TRANSLATE
from schema.names import FILE_NAME_BYTES

# Folder of the translated documents, below the job's results.
OUTPUT_FOLDER = "documents"
# Characters of a document by which its language is detected.
SAMPLE_CHARACTERS = 4000

# Detects the language of a text.
Detect = Callable[[str, Budget], str]


class Translator:
    """Translates documents.

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
    document_seconds
        Time limit of each document.
    """

    def __init__(
        self,
        *,
        source: str,
        target: str,
        engine: Engine,
        detect: Detect | None,
        limits: Limits,
        document_seconds: float,
    ) -> None:
        self._source = source
        self._target = target
        self._engine = engine
        self._detect = detect
        self._limits = limits
        self._seconds = document_seconds

    def translate_all(self, source: Path, output: Path, names: Sequence[str], workers: int) -> list[DocumentReport]:
        """Translate documents.

        Parameters
        ----------
        source
            Folder of the documents.
        output
            Folder of the job's results.
        names
            Paths of the documents below `source`.
        workers
            Documents at the same time.

        Returns
        -------
        The outcome of each.
        """
        with ThreadPoolExecutor(max_workers=workers) as threads:
            return list(threads.map(lambda name: self._translate(source, output, name), names))

    def _translate(self, source: Path, output: Path, name: str) -> DocumentReport:
        budget = Budget(self._seconds)
        target = f"{OUTPUT_FOLDER}/{target_name(name, self._target)}"
        try:
            document = open_document(source / name, self._limits)
            translation = Translation(self._source, self._target, self._engine, self._detect, budget)
            language = DEFAULT_LANGUAGE if self._source == AUTOMATIC else self._source
            with atomic_file(output / target) as path:
                document.rewrite(path, translation.translate, budget, language)
                if not translation.had_text:
                    raise DocumentError("It has no text.")
        except DocumentError as error:
            logger.warning("document failed", extra={"document": name, "reason": str(error)})
            return failed(name, budget, str(error))
        except Exception as error:
            logger.exception("document failed unexpectedly", extra={"document": name})
            return failed(name, budget, internal_error(error))
        logger.info("document translated", extra={"document": name, "seconds": round(budget.seconds, 3)})
        return completed(name, budget, target)


class Translation:
    """Translation of one document, whose language is detected by its first texts.

    Attributes
    ----------
    had_text
        Whether the document has had any text until now.
    """

    def __init__(self, source: str, target: str, engine: Engine, detect: Detect | None, budget: Budget) -> None:
        self._source = source
        self._target = target
        self._engine = engine
        self._detect = detect
        self._budget = budget
        self.had_text = False

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Translate texts; texts that are in the target language already stay unchanged."""
        self.had_text = True
        if self._detect and self._source == AUTOMATIC:
            self._source = self._find_source(texts, self._detect)
        if self._source == self._target:
            self._budget.note(f"It is in `{self._target}` already, so it was not changed.")
            return list(texts)
        # Repeated texts, such as headings and cells of tables, are paid for once.
        different = list(dict.fromkeys(texts))
        translated = dict(zip(different, self._engine.translate(different, self._source, self._budget), strict=True))
        # A text that the engine translates to nothing is kept.
        return [translated[text] if translated[text].strip() else text for text in texts]

    def _find_source(self, texts: Sequence[str], detect: Detect) -> str:
        language = detect("\n".join(texts)[:SAMPLE_CHARACTERS], self._budget)
        if language not in TRANSLATE:
            raise DocumentError(f"Its language is `{language}`, which Amazon Translate does not know.")
        self._budget.note(f"Its language is `{language}`.")
        return language


def target_name(name: str, language: str) -> str:
    """Name of a translated document: the document's name with the language before the suffix."""
    path = PurePosixPath(name)
    end = f".{language}{path.suffix}"
    stem = path.stem.encode()[: FILE_NAME_BYTES - len(end.encode())].decode(errors="ignore")
    return str(path.with_name(stem + end))
