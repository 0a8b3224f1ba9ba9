"""Texts about companies, and the interface of their sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from schema.companies import Unanalysed
from schema.limits import COMPREHEND_TEXT_BYTES


class Wanted(msgspec.Struct, frozen=True):
    """A page that is asked for.

    Attributes
    ----------
    title
        Its title, in any spelling that the source understands.
    revision
        The revision that is known; empty if none is.
    """

    title: str
    revision: str = ""


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
    page
        Title of the page, after redirects.
    """

    content: str
    language: str
    revision: str
    page: str = ""


class Unchanged(msgspec.Struct, frozen=True):
    """The page still has the revision that is known; this also holds for a page that lists several meanings.

    Attributes
    ----------
    page
        Title of the page, after redirects.
    """

    page: str = ""


class NoText(msgspec.Struct, frozen=True):
    """There is no text to analyse, and there would be none if the source was asked again.

    Attributes
    ----------
    label
        Label of the observation: `NOT_FOUND` or `AMBIGUOUS`.
    candidates
        Titles of pages that could be meant; only with `AMBIGUOUS`.
    revision, page
        Revision of the page that lists the meanings, and its title; only with `AMBIGUOUS`.
    reason
        Why nothing was found, such as `no such page`; only with `NOT_FOUND`.
    """

    label: Unanalysed
    candidates: tuple[str, ...] = ()
    revision: str = ""
    page: str = ""
    reason: str = ""


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


class RateLimitError(SourceError):
    """The source was not asked, or refuses everybody, because its limit on requests is reached.

    The page is not the cause, so this is no failed attempt: see `Failure.counts`.
    """


class BudgetError(SourceError):
    """The source was not asked, because it is not known how many requests others make."""


Found = Text | Unchanged | NoText
# What the source answers to each page that is wanted; an error of one page does not affect the others.
Answers = dict[Wanted, Found | SourceError]


class TextSource(Protocol):
    """A source of texts. Its methods are called from several threads."""

    @property
    def language(self) -> str:
        """Language of its texts, as Amazon Comprehend names it."""
        ...

    def fetch(self, wanted: Sequence[Wanted], deadline: float) -> Answers:
        """Get the texts of pages.

        Parameters
        ----------
        wanted
            The pages.
        deadline
            When it has to return, on the clock of `time.monotonic`; pages without an answer by then have a
            `SourceError`.
        """
        ...


def cut_to_bytes(text: str, limit: int = COMPREHEND_TEXT_BYTES) -> str:
    """Shorten a text to a number of bytes of UTF-8, without cutting a character in two."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")
