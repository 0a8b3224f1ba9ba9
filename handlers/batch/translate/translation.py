"""Translation of the texts of one document."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handlers.batch.budget import Budget
from handlers.batch.errors import DocumentError
from handlers.batch.sentences import cut_between_sentences
from handlers.batch.translate.engine import Engine
from schema.languages import AUTOMATIC, TRANSLATE
from schema.limits import TRANSLATE_TEXT_BYTES

# Characters of a document by which its language is detected.
SAMPLE_CHARACTERS = 4000

# Detects the language of a text.
Detect = Callable[[str, Budget], str]


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
        translated = dict(zip(different, self._translate(different), strict=True))
        # A text that the engine translates to nothing is kept.
        return [translated[text] if translated[text].strip() else text for text in texts]

    def _translate(self, texts: list[str]) -> list[str]:
        """Translate texts of any length, in parts that every engine takes."""
        parts = [list(cut_between_sentences(text, self._source, TRANSLATE_TEXT_BYTES)) for text in texts]
        every = [part for text in parts for part in text]
        translated = iter(self._engine.translate(every, self._source, self._budget))
        return [" ".join(next(translated) for _ in text) for text in parts]

    def _find_source(self, texts: Sequence[str], detect: Detect) -> str:
        language = detect("\n".join(texts)[:SAMPLE_CHARACTERS], self._budget)
        if language not in TRANSLATE:
            raise DocumentError(f"Its language is `{language}`, which Amazon Translate does not know.")
        self._budget.note(f"Its language is `{language}`.")
        return language
