"""What every text format is read into: pieces of markup, which are kept, and of text, which is translated."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, NamedTuple

Escape = Callable[[str], str]


def as_it_is(text: str) -> str:
    """Write a text without change."""
    return text


class Markup(NamedTuple):
    """Characters that are written as they were read.

    Attributes
    ----------
    ends_paragraph
        The texts before and after it have nothing to do with each other.
    glue
        What stands for it between two texts of one paragraph: a space for a line break, nothing for a bold sign.
    is_emphasis
        What it means depends on the characters beside it, see `emphasis.py`.
    """

    raw: str
    ends_paragraph: bool = True
    glue: str = ""
    is_emphasis: bool = False


class Text(NamedTuple):
    """Characters a reader sees.

    Attributes
    ----------
    raw
        As in the document.
    text
        As a reader sees them.
    escape
        Makes a new text what the document's format needs at this place.
    """

    raw: str
    text: str
    escape: Escape = as_it_is


Piece = Markup | Text


class Target(NamedTuple):
    """Where a document is written to.

    Attributes
    ----------
    file
        An empty file.
    scratch
        Another one, for what is needed meanwhile.
    """

    file: BinaryIO
    scratch: BinaryIO
