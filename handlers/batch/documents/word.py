"""Word documents (.docx): the texts of paragraphs are translated, everything else stays as it is.

Only the XML parts that hold text are parsed, with lxml; all other parts (styles, numbering, pictures, relations) are
copied byte for byte. Every paragraph counts, wherever it is: in the body, tables, text boxes, lists, hyperlinks,
headers, footers, footnotes, endnotes and comments. Runs that are formatted alike and follow each other are one span of
text, however Word has cut them; see `paragraphs.py` for sentences that go over several spans. Deleted text and field
codes are not touched.
"""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from handlers.batch.documents.archives import UNREADABLE, open_archive, read_entry
from handlers.batch.documents.paragraphs import Paragraph
from handlers.batch.documents.rewriting import WINDOW, Translate
from handlers.batch.errors import DocumentError
from handlers.batch.work import Work

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_W_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_TEXT_PARTS = re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml")
_DOCUMENT = "word/document.xml"
_CHUNK = 1 << 20
# A page of text is some 20 KB of XML, so thousands of pages fit into a part.
_MAX_PART_BYTES = 50_000_000
_LARGE_BYTES = 10_000_000
_large = threading.Lock()
# Characters of a page that is full of text.
_PAGE_CHARACTERS = 3000
# What a reader sees between two texts and what does not cut a sentence.
_INVISIBLE_NAMES = (
    "annotationRef bookmarkEnd bookmarkStart commentRangeEnd commentRangeStart commentReference del delText"
    " endnoteReference fldChar fldSimple footnoteReference hyperlink ins instrText lastRenderedPageBreak noBreakHyphen"
    " pPr permEnd permStart proofErr r rPr sdt sdtContent sdtEndPr sdtPr smartTag softHyphen"
)
_INVISIBLE = frozenset(_INVISIBLE_NAMES.split())
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Properties of a run that change nothing a reader sees.
_UNSEEN = ("lang", "noProof")


class WordLimits(NamedTuple):
    """Limits of what is read.

    Attributes
    ----------
    max_expanded
        Bytes of all parts when unpacked.
    max_pages
        Pages, as Word has counted them, or as many as the text would fill.
    """

    max_expanded: int
    max_pages: int


def rewrite_word(
    source: Path, target: Path, translate: Translate, work: Work, language: str, limits: WordLimits
) -> None:
    """Translate a document into another file.

    Raises
    ------
    DocumentError
        It is no Word document, damaged, encrypted or too large.
    """
    with open_archive(source, limits.max_expanded) as archive, _room_for(archive):
        _check_pages(archive, limits)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
            for entry in archive.infolist():
                work.check()
                if _TEXT_PARTS.fullmatch(entry.filename):
                    tree = _parse(archive, entry.filename, limits)
                    _translate_part(tree, translate, work, language)
                    _write(written, entry, _serialise(tree))
                else:
                    _copy(archive, entry, written)


def word_paragraphs(source: Path, work: Work, limits: WordLimits) -> Iterator[str]:
    """Give the text of each paragraph, those of the body first.

    Raises
    ------
    DocumentError
        It is no Word document, damaged, encrypted or too large.
    """
    with open_archive(source, limits.max_expanded) as archive:
        _check_pages(archive, limits)
        names = [name for name in archive.namelist() if _TEXT_PARTS.fullmatch(name)]
        for name in sorted(names, key=lambda name: (name != _DOCUMENT, name)):
            for paragraph in _parse(archive, name, limits).iter(f"{_W}p", f"{_W_STRICT}p"):
                work.check()
                text = "\n".join("".join(span for span in spans) for _, spans in _groups(paragraph)).strip()
                work.characters += len(text)
                if text:
                    yield text


def _room_for(archive: zipfile.ZipFile) -> AbstractContextManager[object]:
    """Let one large document at a time into memory: parsed, XML takes ten times its size."""
    size = sum(entry.file_size for entry in archive.infolist() if _TEXT_PARTS.fullmatch(entry.filename))
    return _large if size > _LARGE_BYTES else nullcontext()


def _parse(archive: zipfile.ZipFile, name: str, limits: WordLimits) -> Any:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    content = read_entry(archive, name, min(limits.max_expanded, _MAX_PART_BYTES))
    # Entities are not expanded, nothing is fetched, and no Word document has a document type to begin with.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(content, parser).getroottree()
    except etree.XMLSyntaxError as error:
        raise DocumentError(f"It is corrupt: {name} is not valid XML.") from error
    if tree.docinfo.doctype or tree.docinfo.internalDTD is not None:
        raise DocumentError(f"It is corrupt: {name} declares a document type, which no Word document does.")
    return tree


def _serialise(tree: Any) -> bytes:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)


def _check_pages(archive: zipfile.ZipFile, limits: WordLimits) -> None:
    """Refuse a document that is too long, before anything is paid for."""
    body = _parse(archive, _DOCUMENT, limits)
    characters = sum(len(text.text or "") for text in body.iter(f"{_W}t", f"{_W_STRICT}t"))
    rendered = sum(1 for _ in body.iter(f"{_W}lastRenderedPageBreak", f"{_W_STRICT}lastRenderedPageBreak"))
    breaks = sum("page" in line.attrib.values() for line in body.iter(f"{_W}br", f"{_W_STRICT}br"))
    pages = max(breaks + 1, rendered + 1, -(-characters // _PAGE_CHARACTERS))
    if pages > limits.max_pages:
        raise DocumentError(f"It has about {pages} pages; at most {limits.max_pages} are allowed. Split it.")


def _translate_part(tree: Any, translate: Translate, work: Work, language: str) -> None:
    window: list[tuple[list[list[Any]], Paragraph]] = []
    size = 0
    for element in tree.iter(f"{_W}p", f"{_W_STRICT}p"):
        for nodes, spans in _groups(element):
            window.append((nodes, Paragraph(spans, [""] * (len(spans) - 1), language)))
            size += sum(map(len, spans))
            work.characters += sum(map(len, spans))
        if size >= WINDOW:
            work.check()
            _translate_window(window, translate)
            window, size = [], 0
    work.check()
    _translate_window(window, translate)


def _translate_window(window: list[tuple[list[list[Any]], Paragraph]], translate: Translate) -> None:
    units = [unit.text for _, paragraph in window for unit in paragraph.units]
    translations = iter(translate(units) if units else [])
    for groups, paragraph in window:
        spans = paragraph.spans_of([next(translations) for _ in paragraph.units])
        for nodes, span in zip(groups, spans, strict=True):
            if span != "".join(node.text or "" for node in nodes):
                _set_text(nodes, span)


def _set_text(nodes: list[Any], text: str) -> None:
    """Put a span's text into its first node; the others were the same span cut in pieces."""
    for node in nodes[1:]:
        node.text = ""
    # Characters that XML does not have cannot come from a document, but from an engine.
    nodes[0].text = _NOT_XML.sub("", text)
    if text != text.strip():
        nodes[0].set(_SPACE, "preserve")


def _groups(paragraph: Any) -> Iterator[tuple[list[list[Any]], list[str]]]:
    """Divide a paragraph at what cuts a sentence, such as a tab or a line break.

    Yields
    ------
    For each division its spans: the nodes of each, and its text.
    """
    spans: list[list[Any]] = []
    last_format: Any = None
    for node, kind in _nodes(paragraph):
        if node is None:
            if spans:
                yield spans, _texts(spans)
            spans, last_format = [], None
            continue
        if spans and kind == last_format:
            spans[-1].append(node)
        else:
            spans.append([node])
        last_format = kind
    if spans:
        yield spans, _texts(spans)


def _texts(spans: list[list[Any]]) -> list[str]:
    return ["".join(node.text or "" for node in nodes) for nodes in spans]


def _nodes(paragraph: Any) -> Iterator[tuple[Any, Any]]:
    """Give the text nodes of a paragraph with their format; nothing, twice, for what cuts a sentence."""
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if not isinstance(element.tag, str):  # a comment or instruction
            continue
        tag = element.tag.rpartition("}")[2]
        if tag == "t":
            yield element, _format(element)
        elif tag not in _INVISIBLE:
            # A text box has paragraphs of its own; they are found by themselves.
            yield None, None
        elif tag not in ("rPr", "pPr", "sdtPr", "sdtEndPr", "del"):
            stack.extend(reversed(element))


def _format(node: Any) -> tuple[Any, bytes]:
    """Give what a reader sees of a run's format, and the hyperlink, field or paragraph that it is in."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    run = node.getparent()
    properties = run.find(run.tag[: run.tag.rindex("}") + 1] + "rPr")
    seen = (
        [child for child in properties if child.tag.rpartition("}")[2] not in _UNSEEN] if properties is not None else []
    )
    return run.getparent(), b"".join(etree.tostring(child, method="c14n", exclusive=True) for child in seen)


def _write(written: zipfile.ZipFile, entry: zipfile.ZipInfo, content: bytes) -> None:
    written.writestr(_like(entry), content)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, written: zipfile.ZipFile) -> None:
    try:
        with archive.open(entry) as source, written.open(_like(entry), "w") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
    except UNREADABLE as error:
        raise DocumentError(f"It is corrupt: {entry.filename} cannot be unpacked.") from error


def _like(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Describe the entry of the new archive: the old one's name, date and kind, so that a rerun writes the same."""
    made = zipfile.ZipInfo(entry.filename, entry.date_time)
    made.compress_type = zipfile.ZIP_STORED if entry.compress_type == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
    made.external_attr = entry.external_attr
    return made
