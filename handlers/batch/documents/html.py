"""HTML: tags, comments, scripts and code stay byte for byte; texts and a few attributes are translated.

The scanner follows the tokenizer of the HTML standard as far as needed to tell markup from text. It works on a stream
and looks at every character a bounded number of times.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from handlers.batch.documents.pieces import Markup, Piece, Text
from handlers.batch.documents.rewriting import MAX_PARAGRAPH
from handlers.batch.errors import DocumentError

_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big cite data del dfn em font i ins label mark nobr q s small span strike strong sub sup"
    " time tt u wbr"
)
_VOID_NAMES = "area base br col embed hr img input link meta param source track wbr"
# Elements inside a sentence; every other one ends the paragraph.
INLINE = frozenset(_INLINE_NAMES.split())
_VOID = frozenset(_VOID_NAMES.split())
_RAW = frozenset(("script", "style", "textarea", "xmp", "noembed", "noframes"))
_UNTRANSLATED = frozenset(("code", "kbd", "math", "pre", "samp", "svg", "var"))
_ATTRIBUTE = re.compile(
    r"""(?<=[\s"'/])(alt|title|placeholder|aria-label)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""", re.IGNORECASE
)
_NOT_TRANSLATED = re.compile(r"""\stranslate\s*+=\s*+["']?no["'\s/>]""", re.IGNORECASE)
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])")
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
# Where a tag ends, or a quoted value begins: quotes count only behind an equals sign.
_IN_TAG = re.compile(r""">|=\s*+(["'])""")
# Pictures inside of tags make them long; beyond this, it is no HTML.
_MAX_MARKUP = 30_000_000


class _Buffer:
    """The part of the document that is looked at."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self.text = ""
        self.position = 0

    def more(self) -> bool:
        """Get about as much again as there is, so that looking again from the start costs no more than looking once."""
        held = [self.text[self.position :]]
        self.position = 0
        wanted = max(len(held[0]), 1)
        if wanted > _MAX_MARKUP:
            raise DocumentError("It is corrupt: a tag or comment in it does not end.")
        got = 0
        while got < wanted and (chunk := next(self._chunks, "")):
            held.append(chunk)
            got += len(chunk)
        self.text = "".join(held)
        return got > 0

    def take(self, end: int) -> str:
        """Give the text up to a position, and go on behind it."""
        taken = self.text[self.position : end]
        self.position = end
        return taken

    def rest(self) -> str:
        """Give all that is left; only right at the end of the document."""
        return self.take(len(self.text))


def html_pieces(chunks: Iterable[str]) -> Iterator[Piece]:
    """Take an HTML document apart.

    Parameters
    ----------
    chunks
        The document, in parts of any length.

    Raises
    ------
    DocumentError
        Something in it does not end.
    """
    buffer = _Buffer(chunks)
    skipped = _Skipped()
    while True:
        text = _take_text(buffer)
        if text:
            yield Markup(text) if skipped.active else _text(text)
        elif buffer.position == len(buffer.text):
            if not buffer.more():
                return
        else:
            markup = _take_markup(buffer)
            yield from _markup_pieces(markup, skipped)
            name = _name(markup)
            if name in _RAW and not markup.startswith("</"):
                yield from _take_raw(buffer, name)


def _take_text(buffer: _Buffer) -> str:
    """Take what is before the next markup, in parts when it is long; nothing where markup begins."""
    while True:
        found = _MARKUP.search(buffer.text, buffer.position)
        end = found.start() if found else len(buffer.text)
        if end - buffer.position > MAX_PARAGRAPH:
            space = buffer.text.rfind(" ", buffer.position + 1, buffer.position + MAX_PARAGRAPH)
            return buffer.take(space + 1 if space > 0 else buffer.position + MAX_PARAGRAPH)
        if found or not buffer.more():
            return buffer.take(end if found else len(buffer.text))


def _take_markup(buffer: _Buffer) -> str:
    while (end := _markup_end(buffer.text, buffer.position)) < 0:
        if not buffer.more():
            return buffer.rest()
    return buffer.take(end)


def _markup_end(text: str, start: int) -> int:
    """Position behind the markup that begins at `start`; -1 when it does not end in this text."""
    for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>")):
        if text.startswith(opening, start):
            end = text.find(closing, start + len(opening))
            return end + len(closing) if end >= 0 else -1
        if opening.startswith(text[start : start + len(opening)]):
            return -1
    if not _NAME.match(text, start):
        return text.find(">", start) + 1 or -1
    position = start
    while found := _IN_TAG.search(text, position):
        if not found[1]:
            return found.end()
        position = text.find(found[1], found.end()) + 1
        if position == 0:
            return -1
    return -1


def _take_raw(buffer: _Buffer, name: str) -> Iterator[Piece]:
    """Take the content of an element that has no markup in it, in parts when it is long."""
    closing = re.compile(f"</{re.escape(name)}(?=[\\s/>])", re.IGNORECASE)
    tail = len(name) + 3
    while not (found := closing.search(buffer.text, buffer.position)):
        yield Markup(buffer.take(max(len(buffer.text) - tail, buffer.position)))
        if not buffer.more():
            yield Markup(buffer.rest())
            return
    yield Markup(buffer.take(found.start()))


class _Skipped:
    """Tells whether we are inside an element whose texts stay as they are."""

    def __init__(self) -> None:
        self._name = ""
        self._depth = 0

    @property
    def active(self) -> bool:
        return self._depth > 0

    def see(self, name: str, markup: str) -> None:
        """Take note of a tag."""
        if self.active:
            if name == self._name:
                self._depth += -1 if markup.startswith("</") else not markup.endswith("/>")
        elif (name in _UNTRANSLATED or _NOT_TRANSLATED.search(markup)) and _opens(name, markup):
            self._name, self._depth = name, 1


def _opens(name: str, markup: str) -> bool:
    return name not in _VOID and not markup.startswith("</") and not markup.endswith("/>")


def _name(markup: str) -> str:
    found = _NAME.match(markup)
    return found[1].lower() if found else ""


def _markup_pieces(markup: str, skipped: _Skipped) -> Iterator[Piece]:
    name = _name(markup)
    was_skipped = skipped.active
    if name:
        skipped.see(name, markup)
    if was_skipped or skipped.active:
        yield Markup(markup)
        return
    position = 0
    for found in _ATTRIBUTE.finditer(markup) if name and not markup.startswith("</") else ():
        group = 2 if found[2] is not None else 3
        start, end = found.span(group)
        if start == end:
            continue
        yield Markup(markup[position:start])
        yield Text(markup[start:end], html.unescape(markup[start:end]), _escape_attribute)
        position = end
    # A comment in a sentence does not end it, and neither does a bold sign.
    inside = (name in INLINE and position == 0) or markup.startswith("<!--")
    yield Markup(markup[position:], ends_paragraph=not inside)


def _text(raw: str) -> Piece:
    if raw.isspace():
        return Markup(raw, ends_paragraph=False, glue=" ")
    return Text(raw, html.unescape(raw), _escape_text)


def _escape_text(text: str) -> str:
    return html.escape(text, quote=False).replace("\xa0", "&nbsp;")


def _escape_attribute(text: str) -> str:
    return html.escape(text, quote=True).replace("\xa0", "&nbsp;")
