"""The `translate` job: several documents at the same time, each delivered or reported with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.errors import DocumentError, internal_error
from handlers.batch.outputs import atomic_file
from handlers.batch.report import DocumentReport, completed, failed
from handlers.batch.sentences import DEFAULT_LANGUAGE
from handlers.batch.translate.engine import Engine
from handlers.batch.work import Work
from handlers.common.job_options import AUTOMATIC, TRANSLATE_LANGUAGES, TranslateOptions
from handlers.common.logs import logger

# Folder of the translated documents, below the job's results.
OUTPUT_FOLDER = "documents"
# Characters of a document that its language is told by.
SAMPLE_CHARACTERS = 4000

# Linux: the longest name of a file.
_MAX_NAME_BYTES = 255

# Tells the language of a text.
Detect = Callable[[str, Work], str]


class Translator:
    """Translates documents.

    Parameters
    ----------
    options
        Of the job.
    engine
        That the options name.
    detect
        For documents whose language is not known; not needed where the options name it.
    limits
        Of what is read.
    document_seconds
        Time limit of each document.
    """

    def __init__(
        self, options: TranslateOptions, engine: Engine, detect: Detect | None, limits: Limits, document_seconds: float
    ) -> None:
        self._options = options
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
        What became of each.
        """
        with ThreadPoolExecutor(max_workers=workers) as threads:
            return list(threads.map(lambda name: self._translate(source, output, name), names))

    def _translate(self, source: Path, output: Path, name: str) -> DocumentReport:
        work = Work(self._seconds)
        target = f"{OUTPUT_FOLDER}/{target_name(name, self._options.target)}"
        try:
            document = open_document(source / name, self._limits)
            translation = _Translation(self._options, self._engine, self._detect, work)
            language = DEFAULT_LANGUAGE if self._options.source == AUTOMATIC else self._options.source
            with atomic_file(output / target) as path:
                document.rewrite(path, translation.translate, work, language)
                if not translation.had_text:
                    raise DocumentError("It has no text.")
        except DocumentError as error:
            logger.warning("document failed", extra={"document": name, "reason": str(error)})
            return failed(name, work, str(error))
        except Exception as error:
            logger.exception("document failed unexpectedly", extra={"document": name})
            return failed(name, work, internal_error(error))
        logger.info("document translated", extra={"document": name, "seconds": round(work.seconds, 3)})
        return completed(name, work, target)


class _Translation:
    """Translation of one document: its language is found out by its first texts."""

    def __init__(self, options: TranslateOptions, engine: Engine, detect: Detect | None, work: Work) -> None:
        self._options = options
        self._engine = engine
        self._detect = detect
        self._work = work
        self._source = options.source
        self.had_text = False

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Translate texts; those that are in the target language already stay as they are."""
        self.had_text = True
        if self._detect and self._source == AUTOMATIC:
            self._source = self._find_source(texts, self._detect)
        if self._source == self._options.target:
            self._work.note(f"It is in `{self._options.target}` already, so it was not changed.")
            return list(texts)
        # What a document says often, such as a heading or a cell of a table, is paid for once.
        different = list(dict.fromkeys(texts))
        translated = dict(zip(different, self._engine.translate(different, self._source, self._work), strict=True))
        # An engine that has nothing to say of a text must not cost a user the text.
        return [translated[text] if translated[text].strip() else text for text in texts]

    def _find_source(self, texts: Sequence[str], detect: Detect) -> str:
        language = detect("\n".join(texts)[:SAMPLE_CHARACTERS], self._work)
        if language not in TRANSLATE_LANGUAGES:
            raise DocumentError(f"Its language is `{language}`, which Amazon Translate does not know.")
        self._work.note(f"Its language is `{language}`.")
        return language


def target_name(name: str, language: str) -> str:
    """Name of a translated document: that of the document with the language before its suffix."""
    path = PurePosixPath(name)
    end = f".{language}{path.suffix}"
    stem = path.stem.encode()[: _MAX_NAME_BYTES - len(end.encode())].decode(errors="ignore")
    return str(path.with_name(stem + end))
