"""Messages between the program and the process of one document."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(max_length=10_000)]
_Texts = Annotated[list[_Text], Meta(min_length=1, max_length=100_000)]
_Language = Annotated[str, Meta(max_length=20)]
_Remark = Annotated[str, Meta(max_length=2000)]
_Count = Annotated[int, Meta(ge=0, lt=2**53)]


# From the document's process: what it asks for.


class Counted(msgspec.Struct, frozen=True, tag=True):
    """The document has so many characters, or at most so many. The answer is `Go` or `CountExactly`."""

    characters: _Count
    is_exact: bool


class AwaitRoom(msgspec.Struct, frozen=True, tag=True):
    """The document needs much memory. The answer is `Go`, when no other one does."""


class AskLanguage(msgspec.Struct, frozen=True, tag=True):
    """Ask for the language of a text. The answer is `Language`."""

    text: _Text


class Translate(msgspec.Struct, frozen=True, tag=True):
    """Ask for translations. The answer is `Translated`."""

    texts: _Texts
    language: _Language


class Analyse(msgspec.Struct, frozen=True, tag=True):
    """Ask for sentiments and key phrases. The answer is `Analysed`."""

    texts: _Texts
    language: _Language


# From the document's process: how it ended.


class Done(msgspec.Struct, frozen=True, tag=True):
    """The document is done.

    Attributes
    ----------
    characters
        Characters of text that were read.
    notes
        Remarks for the report.
    result
        What was found, as a message of its own.
    """

    characters: _Count
    notes: Annotated[list[_Remark], Meta(max_length=20)] = []
    result: msgspec.Raw = msgspec.Raw()


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The document cannot be done."""

    reason: _Remark
    characters: _Count


class Broken(msgspec.Struct, frozen=True, tag=True):
    """The program has failed in a way that is not the document's fault; the trace is for the log."""

    error: Annotated[str, Meta(max_length=200)]
    trace: Annotated[str, Meta(max_length=20_000)]
    characters: _Count


Ending = Done | Failed | Broken
Request = Counted | AwaitRoom | AskLanguage | Translate | Analyse
FromDocument = Request | Ending


# To the document's process.


class Go(msgspec.Struct, frozen=True, tag=True):
    """Go on."""


class CountExactly(msgspec.Struct, frozen=True, tag=True):
    """Count the characters exactly, and ask again."""


class Language(msgspec.Struct, frozen=True, tag=True):
    """The language of a text, and how sure that is, from 0 to 1."""

    code: str
    score: float


class Translated(msgspec.Struct, frozen=True, tag=True):
    """The translations, in the order of the texts."""

    texts: list[str]


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """What was found in a text.

    Attributes
    ----------
    scores
        Positive, negative, neutral, mixed; each from 0 to 1.
    phrases
        Key phrases with their scores.
    """

    scores: tuple[float, float, float, float]
    phrases: list[tuple[str, float]]


class Analysed(msgspec.Struct, frozen=True, tag=True):
    """What was found in each text, in their order."""

    findings: list[Finding]


Answer = Go | CountExactly | Language | Translated | Analysed
