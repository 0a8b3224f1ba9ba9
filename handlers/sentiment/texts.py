"""What the world says of a company: the interface every text source has."""

from __future__ import annotations

from typing import Protocol

import msgspec

# Amazon Comprehend: at most 5,000 bytes of UTF-8 a document in DetectSentiment and BatchDetectSentiment.
MAX_TEXT_BYTES = 5000


class Text(msgspec.Struct, frozen=True):
    """A text about a company.

    Attributes
    ----------
    content
        What is analysed: at most `MAX_TEXT_BYTES` of UTF-8.
    language
        Language code as Amazon Comprehend knows it.
    revision
        Changes when the content does.
    """

    content: str
    language: str
    revision: str


class NoText(msgspec.Struct, frozen=True):
    """There is no text to analyse, and asking again would not change that.

    Attributes
    ----------
    label
        What is observed instead of a sentiment: `NOT_FOUND` or `AMBIGUOUS`.
    """

    label: str


class SourceError(Exception):
    """The source did not answer as it should; it may do so later.

    Attributes
    ----------
    retry_after
        Seconds the source asks to be left alone, 0 where it names none.
    """

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TextSource(Protocol):
    """Where texts come from. Methods are called from several threads."""

    def fetch(self, title: str) -> Text | NoText:
        """Get the text with this title.

        Raises
        ------
        SourceError
            The source failed in every attempt.
        """
        ...


def cut_to_bytes(text: str, limit: int = MAX_TEXT_BYTES) -> str:
    """Shorten a text to a number of bytes of UTF-8, without cutting a character in two."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")
