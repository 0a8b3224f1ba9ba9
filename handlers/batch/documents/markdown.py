"""Markdown (CommonMark with tables, tasks, footnotes and front matter): only what a reader reads is translated.

The document is read line by line. Code blocks, front matter, definitions of links and everything that is no text stay
byte for byte, and so do the ends of lines inside a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from handlers.batch.documents.inline_markdown import Break, inline_pieces, label_of
from handlers.batch.documents.pieces import Markup, Piece
from handlers.batch.documents.rewriting import MAX_PARAGRAPH

# What a line may begin with: quote signs, list signs, a task's box, a footnote's label.
_PREFIX = re.compile(
    r"(?:[ \t]*+(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))*[ \t]*+(?:\[[ xX]\][ \t]+|\[\^[^\]\s]+\]:[ \t]*)?"
)
_LIST_SIGN = re.compile(r"[-+*\d\[]")
_HEADING = re.compile(r"#{1,6}(?:[ \t]+|$)")
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_DEFINITION = re.compile(r" {0,3}\[([^\]^][^\]]*)\]:")
_VERBATIM = re.compile(r"<(script|pre|style|textarea)(?=[\s>]|$)", re.IGNORECASE)
# Quantifiers with a plus do not give back what they took, so a line without a match is looked at once.
_DELIMITER_ROW = re.compile(r"[ \t>]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+$")
_BAR = re.compile(r"(?<!\\)\|")
_HARD_BREAK = re.compile(r"(?:(?<! ) {2,}+|\\)$")
_FRONT_MATTER = {"---": ("---", "..."), "+++": ("+++",)}
_CODE_INDENT = 4
_LONGEST_FRONT_MATTER = 1000


class Outline(NamedTuple):
    """What has to be known of a document before its first line can be understood.

    Attributes
    ----------
    labels
        Labels of the links that are defined somewhere.
    front_matter
        Number of lines of front matter.
    """

    labels: frozenset[str]
    front_matter: int


def read_outline(lines: Iterable[str]) -> Outline:
    """Look through a document once."""
    labels: set[str] = set()
    ends: tuple[str, ...] = ()
    front_matter = 0
    for number, line in enumerate(lines):
        content = line.rstrip()
        if number == 0:
            ends = _FRONT_MATTER.get(content, ())
        elif content in ends and number < _LONGEST_FRONT_MATTER:
            front_matter, ends = number + 1, ()
        found = _DEFINITION.match(line)
        if found:
            labels.add(label_of(found[1]))
    return Outline(frozenset(labels), front_matter)


def markdown_pieces(lines: Iterable[str], outline: Outline) -> Iterator[Piece]:
    """Take a document apart.

    Parameters
    ----------
    lines
        With their ends; very long ones may come in parts.
    outline
        Of the same document.
    """
    return _Reader(outline).read(iter(lines))


class _Reader:
    """Reads lines, and remembers what the lines before have begun."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._paragraph: list[tuple[str, str]] = []  # what a line begins with, and the line's rest with its end
        self._size = 0
        self._verbatim = ""  # what ends the code block or the like that we are in
        self._in_table = False
        self._after_blank = True
        self._list_indent = 0
        self._goes_on = False

    def read(self, lines: Iterator[str]) -> Iterator[Piece]:
        for _ in range(self._outline.front_matter):
            yield Markup(next(lines, ""))
        line = next(lines, "")
        while line:
            following = next(lines, "")
            yield from self._line(line, following)
            self._goes_on = not line.endswith(("\n", "\r"))
            line = following
        yield from self._flush()

    def _line(self, line: str, following: str) -> Iterator[Piece]:
        if self._goes_on and self._paragraph:
            self._add("", line)
            if self._size >= MAX_PARAGRAPH:
                yield from self._flush()
            return
        if self._verbatim:
            yield Markup(line)
            if _closes(self._verbatim, line):
                self._verbatim = ""
            return
        found = _PREFIX.match(line)
        prefix = found[0] if found else ""
        content = line[len(prefix) :]
        if self._begins_verbatim(prefix, content):
            yield from self._flush()
            yield Markup(line)
            self._after_blank = True
            if self._verbatim[:1] in ("<", "-") and _closes(self._verbatim, content):
                self._verbatim = ""
            return
        yield from self._text_line(line, prefix, content, following)

    def _text_line(self, line: str, prefix: str, content: str, following: str) -> Iterator[Piece]:
        if not content.strip() or not any(map(str.isalpha, content)) or _DEFINITION.match(line):
            yield from self._flush()
            yield Markup(line)
            self._after_blank = not content.strip()
            self._in_table = self._in_table and not self._after_blank
            return
        begins = bool(_LIST_SIGN.search(prefix))
        if begins:
            self._list_indent = len(prefix.expandtabs(_CODE_INDENT))
        elif not prefix and self._after_blank:
            self._list_indent = 0
        self._after_blank = False
        if self._in_table or ("|" in content and "-" in following and _DELIMITER_ROW.match(following.rstrip())):
            self._in_table = True
            yield from self._flush()
            yield from self._row(prefix, content)
        elif _HEADING.match(content):
            yield from self._flush()
            yield from self._heading(prefix, content)
        else:
            if begins or self._size >= MAX_PARAGRAPH:
                yield from self._flush()
            self._add(prefix, content)

    def _begins_verbatim(self, prefix: str, content: str) -> bool:
        fence = _FENCE.match(content.rstrip("\r\n"))
        if fence:
            self._verbatim = fence[1] or fence[2]
            return True
        tag = _VERBATIM.match(content)
        if tag:
            self._verbatim = f"</{tag[1].lower()}>"
            return True
        if content.startswith("<!--"):
            self._verbatim = "-->"
            return True
        if not content.strip() or self._paragraph or not self._after_blank or _LIST_SIGN.search(prefix):
            return False
        inner = prefix.rpartition(">")[2].expandtabs(_CODE_INDENT)
        # One space belongs to a quote sign.
        indent = len(inner) - 1 if ">" in prefix else len(inner)
        return indent >= _CODE_INDENT + (self._list_indent if ">" not in prefix else 0)

    def _add(self, prefix: str, content: str) -> None:
        self._paragraph.append((prefix, content))
        self._size += len(prefix) + len(content)

    def _flush(self) -> Iterator[Piece]:
        """Give the pieces of the paragraph that has ended."""
        if not self._paragraph:
            return
        first, _ = self._paragraph[0]
        yield Markup(first)
        text = ""
        breaks: list[Break] = []
        parts: list[str] = []
        length = 0
        for number, (prefix, content) in enumerate(self._paragraph):
            body = content.rstrip("\r\n")
            if number:
                parts.append(prefix)
                length += len(prefix)
                breaks[-1] = breaks[-1]._replace(end=length)
            seen = body.rstrip(" ") if _HARD_BREAK.search(body) is None else _HARD_BREAK.sub("", body)
            parts.append(content)
            breaks.append(Break(length + len(seen), length + len(content), bool(_HARD_BREAK.search(body))))
            length += len(content)
        text = "".join(parts)
        last = breaks.pop()
        yield from inline_pieces(text[: last.start], self._outline.labels, breaks)
        yield Markup(text[last.start :])
        self._paragraph, self._size = [], 0

    def _row(self, prefix: str, content: str) -> Iterator[Piece]:
        yield Markup(prefix)
        position = 0
        for bar in _BAR.finditer(content):
            yield from inline_pieces(content[position : bar.start()], self._outline.labels, in_table=True)
            yield Markup("|")
            position = bar.end()
        body = content[position:].rstrip("\r\n")
        yield from inline_pieces(body, self._outline.labels, in_table=True)
        yield Markup(content[position + len(body) :])

    def _heading(self, prefix: str, content: str) -> Iterator[Piece]:
        opening = _HEADING.match(content)
        start = opening.end() if opening else 0
        body = content.rstrip("\r\n")
        end = start + len(_without_closing_hashes(body[start:]))
        yield Markup(prefix + content[:start])
        yield from inline_pieces(content[start:end], self._outline.labels)
        yield Markup(content[end:])


def _without_closing_hashes(text: str) -> str:
    """Cut off what may end a heading: white space, hashes, white space."""
    inner = text.rstrip(" \t").rstrip("#")
    has_hashes = len(inner) < len(text.rstrip(" \t"))
    return inner.rstrip(" \t") if has_hashes and inner.endswith((" ", "\t")) else text


def _closes(end: str, line: str) -> bool:
    """Tell whether a line ends what is verbatim."""
    if end[0] in "<-":
        return end in line.lower()
    signs = line.strip(" \t\r\n>")
    return signs.startswith(end) and set(signs) == {end[0]}
