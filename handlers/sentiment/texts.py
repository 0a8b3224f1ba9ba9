"""Texts about companies, and the interface of their sources."""

from __future__ import annotations

from typing import Protocol

import msgspec

from schema.companies import Unanalysed
from schema.limits import COMPREHEND_TEXT_BYTES


class Text(msgspec.Struct, frozen=True):
    """A text about a company.

    Attributes
    ----------
    content
        What is analysed: at most `COMPREHEND_TEXT_BYTES` of UTF-8.
    language
        Language code as Amazon Comprehend knows it.
    revision
        Changes when the content does.
    """

    content: str
    language: str
    revision: str


class NoText(msgspec.Struct, frozen=True):
    """There is no text to analyse, and there would be none if the source was asked again.

    Attributes
    ----------
    label
        Label of the observation: `NOT_FOUND` or `AMBIGUOUS`.
    """

    label: Unanalysed


class SourceError(Exception):
    """The source failed; it may answer later.

    Attributes
    ----------
    retry_after
        Seconds that the source asks to be left alone; 0 if it names none.
    """

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TextSource(Protocol):
    """A source of texts. Its methods are called from several threads."""

    def fetch(self, title: str) -> Text | NoText:
        """Get the text with this title.

        Raises
        ------
        SourceError
            The source failed in every attempt.
        """
        ...


def cut_to_bytes(text: str, limit: int = COMPREHEND_TEXT_BYTES) -> str:
    """Shorten a text to a number of bytes of UTF-8, without cutting a character in two."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")
