"""Plain text: lines stay lines, and a sentence that its author wrapped over several of them is translated as one."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from handlers.batch.documents.encodings import Encoding, open_text
from handlers.batch.documents.pieces import Markup, Piece, Text
from handlers.batch.documents.rewriting import MAX_PARAGRAPH
from handlers.batch.errors import DocumentError
from handlers.batch.sentences import split_sentences

# A shorter line was meant to be one, as in an address or a poem.
_WRAPPED = 40
# The same where the next line begins with a capital letter, as a noun or a name does, but a new paragraph does as well.
_SURELY_WRAPPED = 60
# Lines before and after one that tell how wide the text is. Where the first word of the next line would have had room,
# its author has ended the line.
_AROUND = 20
_SENTENCE_END = re.compile("[.!?:;\u2026\u3002\uff01\uff1f]['\"\\)\\]\u2019\u201d\u00bb]*$")
_LIST_SIGN = re.compile(r"(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{2,4})[.)]\s")
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
    is_begun = False
    for line, following, width in _with_width(_whole_sentences(lines, language)):
        content = line.strip()
        start = line.find(content)
        goes_on = _goes_on(line, following, width)
        yield Markup(line[:start], ends_paragraph=not is_begun)
        for number, part in enumerate(_COLUMNS.split(content)):
            if part:
                yield Markup(part) if number % 2 else Text(part, part)
        yield Markup(line[start + len(content) :], ends_paragraph=not goes_on, glue=" ")
        is_begun = goes_on


def _with_width(lines: Iterator[str]) -> Iterator[tuple[str, str, int]]:
    """Give each line with the one behind it and the width of the text around it."""
    ahead = deque(islice(lines, _AROUND))
    widths = deque((len(line.rstrip()) for line in ahead), maxlen=2 * _AROUND)
    while ahead:
        line = ahead.popleft()
        further = next(lines, "")
        if further:
            ahead.append(further)
            widths.append(len(further.rstrip()))
        yield line, ahead[0] if ahead else "", max(widths)


def _goes_on(line: str, following: str, width: int) -> bool:
    """Tell whether a line ends in the middle of a sentence that the following line goes on with."""
    content, rest = line.strip(), following.strip()
    if len(content) < _WRAPPED or not rest or not line.endswith(("\n", "\r")) or _SENTENCE_END.search(content):
        return False
    if line[: line.find(content)] != following[: following.find(rest)]:  # set in or out
        return False
    if _COLUMNS.search(content) or _COLUMNS.search(rest) or _LIST_SIGN.match(rest):
        return False
    if len(line.rstrip()) + 1 + len(rest.split(maxsplit=1)[0]) <= width:
        return False
    return rest[0].islower() or (rest[0].isupper() and len(content) >= _SURELY_WRAPPED)


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
