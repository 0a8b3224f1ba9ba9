"""Interface of translation engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from handlers.batch.budget import Budget


class Engine(Protocol):
    """Translates texts. Called from several threads."""

    def translate(self, texts: Sequence[str], source: str, budget: Budget) -> list[str]:
        """Translate texts of one document.

        Parameters
        ----------
        texts
            Each a line without line end, of any length.
        source
            Their language.
        budget
            Budget of the document: its time limit, and where usage is counted.

        Returns
        -------
        The translations, in the order of the texts.

        Raises
        ------
        DocumentError
            They cannot be translated.
        """
        ...

    def close(self) -> None:
        """Release threads and memory."""
        ...
