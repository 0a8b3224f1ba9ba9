"""What is inside a paragraph of Markdown: texts, and signs, code, addresses and tags that stay as they are."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from handlers.batch.documents.html import INLINE
from handlers.batch.documents.pieces import Escape, Markup, Piece, Text

_SIGN = re.compile(
    r"""
    (?P<escape>\\[!-/:-@\[-`{-~])
    |(?P<code>`+)
    |(?P<comment><!--)
    |(?P<autolink><[a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^\s<>]*+>|<[^\s<>@]++@[^\s<>@]++>)
    |(?P<tag></?(?P<name>[a-zA-Z][a-zA-Z0-9-]*+)(?:\s[^<>]*)?/?>)
    |(?P<address>\b(?:https?://|www\.)[^\s<>()\[\]`*]+)
    |(?P<bracket>!?\[)
    |(?P<target>\](?:
        \(\s*+(?:<[^<>\n]*+>|[^\s()<>]*+(?:\([^\s()]*+\)[^\s()<>]*+)*+)(?:\s++(?:"[^"]*+"|'[^']*+')?+)?+\s*+\)
        |\[[^\[\]]*+\]))
    |(?P<close>\])
    |(?P<emphasis>\*+|~~+|(?<!\w)_++|(?<!_)_++(?!\w))
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# Where a comment ends, and elements whose content is no text.
_ENDS = re.compile(r"-->|</(?P<name>code|kbd|pre|samp|script|style|var)>", re.IGNORECASE)
_VERBATIM = frozenset(("code", "kbd", "pre", "samp", "script", "style", "var"))
_REFERENCE = re.compile(r"!?\[([^\[\]]{1,999}+)\](?![(])(\[\])?(?!\[)")
_BACKSLASH = re.compile(r"\\([!-/:-@\[-`{-~])")
_BACKTICKS = re.compile(r"`+")
_SPECIAL = re.compile(r"[\\`*\[\]<>]|~~|(?<!\w)_|_(?!\w)|&(?=#?\w{1,31};)")
_SPECIAL_AT_START = re.compile(r"(?:#{1,6}|[-+=]+|\d{1,9}(?=[.)]))(?=[\s.)]|$)|[>|]")


class Break(NamedTuple):
    """The end of a line inside a paragraph, with what the next line begins with.

    Attributes
    ----------
    is_hard
        A reader sees it as the end of a line.
    """

    start: int
    end: int
    is_hard: bool


def label_of(text: str) -> str:
    """Make a label comparable, as CommonMark says."""
    return " ".join(text.split()).casefold()


def inline_pieces(
    text: str, labels: frozenset[str], breaks: Sequence[Break] = (), in_table: bool = False
) -> Iterator[Piece]:
    """Take a paragraph, or a cell of a table, apart.

    Parameters
    ----------
    text
        As in the document, with the ends of its lines.
    labels
        Labels of links that the document defines elsewhere; text in brackets that is not among them is text.
    breaks
        Ends of lines, in order.
    in_table
        It is a cell, where a bar has another meaning.
    """
    plain = _Plain(text, breaks, in_table)
    position = 0
    for start, end, inside, is_emphasis in _signs(text, labels):
        yield from plain.pieces(position, start)
        yield Markup(text[start:end], ends_paragraph=not inside, is_emphasis=is_emphasis)
        position = end
    yield from plain.pieces(position, len(text))


class _Sign(NamedTuple):
    """Something that is no text; the sentence goes on behind it when it is `inside` one."""

    start: int
    end: int
    inside: bool
    is_emphasis: bool = False


def _signs(text: str, labels: frozenset[str]) -> list[_Sign]:
    """Find everything that is no text. A bracket is text unless it belongs to a link."""
    finder = _SignFinder(text, labels)
    position = 0
    while found := _SIGN.search(text, position):
        position = finder.take(found)
    return sorted(finder.signs)


class _SignFinder:
    """Takes what looks like signs, in order, and keeps those that are."""

    def __init__(self, text: str, labels: frozenset[str]) -> None:
        self.signs: list[_Sign] = []
        self._text = text
        self._labels = labels
        self._brackets: list[_Sign] = []
        self._codes = _CodeEnds(text)
        self._ends = _Ends(text)

    def take(self, found: re.Match[str]) -> int:
        """Take the next one; gives the position behind it."""
        kind = _kind(found)
        start, end = found.span()
        if kind == "bracket":
            return self._take_bracket(start, end)
        if kind == "escape":
            return end
        if kind in ("close", "target"):
            opening = self._brackets.pop() if self._brackets else None
            if kind == "close":
                return end
            if opening:
                self.signs.append(opening)
        elif kind == "code":
            end = self._codes.end(start, end)
        elif kind in ("comment", "verbatim"):
            kind, end = self._take_element(kind, found)
        if kind:
            self.signs.append(_Sign(start, end, _is_inside(found, kind), kind == "emphasis"))
        return end

    def _take_bracket(self, start: int, end: int) -> int:
        reference = _REFERENCE.match(self._text, start)
        if not reference or not (reference[1].startswith("^") or label_of(reference[1]) in self._labels):
            self._brackets.append(_Sign(start, end, True))
            return end
        self.signs.append(_Sign(start, reference.end(), False))
        return reference.end()

    def _take_element(self, kind: str, found: re.Match[str]) -> tuple[str, int]:
        """Find its end; without one, a comment is text, and a tag is only a tag."""
        end = self._ends.end(found)
        if end >= 0:
            return kind, end
        return ("" if kind == "comment" else "tag"), found.end()


def _kind(found: re.Match[str]) -> str:
    """Name the kind of a sign: the outermost group that has matched."""
    name = (found["name"] or "").lower()
    if name:
        return "verbatim" if name in _VERBATIM and found[0][1] != "/" else "tag"
    return found.lastgroup or ""


class _Ends:
    """Finds where comments and elements without text end; each place is looked at once."""

    def __init__(self, text: str) -> None:
        self._places: dict[str, list[int]] = {}
        for end in reversed(list(_ENDS.finditer(text))) if "<" in text else ():
            self._places.setdefault((end["name"] or "").lower(), []).append(end.end())

    def end(self, opening: re.Match[str]) -> int:
        """Position behind the next end of what `opening` begins; -1 where there is none."""
        name = (opening["name"] or "").lower()
        later = self._places.get(name, [])
        while later and later[-1] < opening.end() + len(name) + len("-->"):
            later.pop()
        return later[-1] if later else -1


class _CodeEnds:
    """Finds where code ends: at the next run of as many backticks as it began with."""

    def __init__(self, text: str) -> None:
        self._runs: dict[int, list[int]] = {}
        for run in reversed(list(_BACKTICKS.finditer(text))):
            self._runs.setdefault(len(run[0]), []).append(run.start())

    def end(self, start: int, end: int) -> int:
        """Position behind the code that begins at `start`; `end` where there is none."""
        later = self._runs.get(end - start, [])
        while later and later[-1] <= start:
            later.pop()
        return later.pop() + end - start if later else end


def _is_inside(found: re.Match[str], kind: str) -> bool:
    if kind == "tag":
        return found["name"].lower() in INLINE
    return kind in ("bracket", "target", "emphasis", "comment")


class _Plain:
    """The texts between the signs, line by line."""

    def __init__(self, text: str, breaks: Sequence[Break], in_table: bool) -> None:
        self._text = text
        self._breaks = breaks
        self._next = 0
        self._in_table = in_table

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """Give the pieces of a part without signs; parts are asked for in order."""
        while self._next < len(self._breaks) and self._breaks[self._next].start < end:
            line = self._breaks[self._next]
            self._next += 1
            if line.start < start:  # inside a sign, such as code over two lines
                continue
            yield from self._piece(start, line.start)
            yield Markup(self._text[line.start : line.end], ends_paragraph=line.is_hard, glue=" ")
            start = line.end
        yield from self._piece(start, end)

    def _piece(self, start: int, end: int) -> Iterator[Piece]:
        if start >= end:
            return
        raw = self._text[start:end]
        seen = html.unescape(_BACKSLASH.sub(r"\1", raw)) if "\\" in raw or "&" in raw else raw
        at_start = start == 0 or (self._next > 0 and self._breaks[self._next - 1].end == start)
        yield Text(raw, seen, self._escape(at_start))

    def _escape(self, at_start: bool) -> Escape:
        if self._in_table:
            return _escape_cell
        return _escape_start if at_start else _escape


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: "&amp;" if found[0] == "&" else "\\" + found[0], text).replace("\n", " ")


def _escape_cell(text: str) -> str:
    return _escape(text).replace("|", "\\|")


def _escape_start(text: str) -> str:
    escaped = _escape(text)
    found = _SPECIAL_AT_START.match(escaped)
    if not found:
        return escaped
    # The backslash has to stand before a sign; a number is followed by one.
    place = found.end() if found[0].isdigit() else 0
    return escaped[:place] + "\\" + escaped[place:]
