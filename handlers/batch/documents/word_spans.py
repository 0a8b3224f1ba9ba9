"""Paragraphs of Word documents as spans of text: what is formatted alike and follows each other, however Word cut it.

Deleted text and field codes are not text. What is tied to a place of the text, such as a footnote's mark, is a border
of spans, so that it stays between the words that it stood between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
# What does not cut a sentence when it is between two texts.
_INVISIBLE_NAMES = (
    "annotationRef bdo bookmarkEnd bookmarkStart commentRangeEnd commentRangeStart commentReference customXml"
    " customXmlDelRangeEnd customXmlDelRangeStart customXmlInsRangeEnd customXmlInsRangeStart"
    " customXmlMoveFromRangeEnd customXmlMoveFromRangeStart customXmlMoveToRangeEnd customXmlMoveToRangeStart"
    " customXmlPr del delInstrText delText dir endnoteReference fldChar fldSimple footnoteReference hyperlink ins"
    " instrText lastRenderedPageBreak moveFrom moveFromRangeEnd moveFromRangeStart moveTo moveToRangeEnd"
    " moveToRangeStart pPr permEnd permStart proofErr r rPr sdt sdtContent sdtEndPr sdtPr smartTag smartTagPr"
)
_INVISIBLE = frozenset(_INVISIBLE_NAMES.split())
# Of these, what has its place in the text.
_ANCHOR_NAMES = (
    "bookmarkEnd bookmarkStart commentRangeEnd commentRangeStart commentReference del endnoteReference fldChar"
    " footnoteReference moveFrom permEnd permStart"
)
_ANCHORS = frozenset(_ANCHOR_NAMES.split())
# Of these, what has no text of the document in it.
_CLOSED = frozenset(("rPr", "pPr", "sdtPr", "sdtEndPr", "del", "moveFrom"))
# Elements that stand for a character; a soft hyphen is none that a reader sees.
_CHARACTERS = {"noBreakHyphen": "\u2011", "softHyphen": ""}
# Word's own note of where the document was edited last.
_LAST_EDIT = "_GoBack"
# Properties of a run that change nothing a reader sees.
_UNSEEN = ("lang", "noProof")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Border(Enum):
    """What is between two texts of a paragraph: something that cuts a sentence, or something that has its place."""

    CUT = 1
    ANCHOR = 2


def groups(paragraph: Any) -> Iterator[tuple[list[list[Any]], list[str]]]:
    """Divide a paragraph at what cuts a sentence, such as a tab or a line break.

    Parameters
    ----------
    paragraph
        Element `w:p`.

    Yields
    ------
    For each division its spans: the nodes of each, and its text.
    """
    spans: list[list[Any]] = []
    last_format: Any = None
    for found in _texts_and_borders(paragraph):
        if found is _Border.CUT:
            if spans:
                yield spans, [_text_of(nodes) for nodes in spans]
            spans, last_format = [], None
        elif found is _Border.ANCHOR:
            last_format = None
        else:
            node_format = _format(found)
            if spans and node_format == last_format:
                spans[-1].append(found)
            else:
                spans.append([found])
            last_format = node_format
    if spans:
        yield spans, [_text_of(nodes) for nodes in spans]


def set_text(nodes: list[Any], text: str) -> None:
    """Give a span another text: all of it to its first node, because the others were the same span cut in pieces."""
    first, *others = nodes
    for node in others:
        if _name(node) == "t":
            node.text = ""
        else:
            node.getparent().remove(node)
    if _name(first) != "t":
        first.tag = first.tag[: first.tag.rindex("}") + 1] + "t"
    # Characters that XML does not have cannot come from a document, but from an engine.
    first.text = _NOT_XML.sub("", text)
    if text != text.strip():
        first.set(_SPACE, "preserve")


def _text_of(nodes: list[Any]) -> str:
    return "".join(_CHARACTERS.get(_name(node), node.text or "") for node in nodes)


def _texts_and_borders(paragraph: Any) -> Iterator[Any]:
    """Give the text nodes of a paragraph, and the borders between them."""
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if not isinstance(element.tag, str):  # a comment or instruction
            continue
        name = _name(element)
        if name == "t" or name in _CHARACTERS:
            yield element
        elif name not in _INVISIBLE:
            # A text box has paragraphs of its own; they are found by themselves.
            yield _Border.CUT
        else:
            if name in _ANCHORS and _LAST_EDIT not in element.attrib.values():
                yield _Border.ANCHOR
            if name not in _CLOSED:
                stack.extend(reversed(element))


def _format(node: Any) -> tuple[Any, bytes]:
    """Give what a reader sees of a run's format, and the hyperlink, field or paragraph that it is in."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    run = node.getparent()
    properties = run.find(run.tag[: run.tag.rindex("}") + 1] + "rPr")
    seen = [] if properties is None else [child for child in properties if _name(child) not in _UNSEEN]
    return run.getparent(), b"".join(etree.tostring(child, method="c14n", exclusive=True) for child in seen)


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2]
