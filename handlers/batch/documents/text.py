"""Plain text: every line is a paragraph, because what its author put on lines of its own has to stay there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from handlers.batch.documents.encodings import Encoding, open_text
from handlers.batch.documents.pieces import Markup, Piece, Text
from handlers.batch.documents.rewriting import MAX_PARAGRAPH
from handlers.batch.errors import DocumentError
from handlers.batch.sentences import split_sentences

# What separates columns inside a line stays as it is.
_COLUMNS = re.compile(r"(\t\s*| {3,}\s*)")


def read_lines(path: Path, encoding: Encoding) -> Iterator[str]:
    """Read the lines of a file with their ends; a longer line than a paragraph may be comes in parts.

    Raises
    ------
    DocumentError
        It is not encoded as it says.
    """
    with open_text(path, encoding) as file:
        try:
            while line := file.readline(MAX_PARAGRAPH):
                yield line
        except UnicodeDecodeError as error:
            raise DocumentError(f"It is corrupt: not valid {encoding.name}.") from error


def text_pieces(lines: Iterator[str], language: str) -> Iterator[Piece]:
    """Take lines apart.

    Parameters
    ----------
    lines
        With their ends.
    language
        For the place where a line without an end is cut: between two sentences.
    """
    for line in _whole_sentences(lines, language):
        content = line.strip()
        start = line.find(content)
        yield Markup(line[:start])
        for number, part in enumerate(_COLUMNS.split(content)):
            if part:
                yield Markup(part) if number % 2 else Text(part, part)
        yield Markup(line[start + len(content) :])


def _whole_sentences(lines: Iterator[str], language: str) -> Iterator[str]:
    """Move the beginning of a sentence, at the cut of a long line, to where the sentence ends."""
    rest = ""
    for line in lines:
        if line.endswith(("\n", "\r")) or len(line) < MAX_PARAGRAPH:
            yield rest + line
            rest = ""
            continue
        text = rest + line
        sentences = split_sentences(text, language)
        # A sentence that is as long as a paragraph may be is none.
        rest = sentences.pop() if len(sentences) > 1 and len(sentences[-1]) < MAX_PARAGRAPH else ""
        yield text[: len(text) - len(rest)]
    if rest:
        yield rest
