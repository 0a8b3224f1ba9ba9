"""Word documents (.docx): the texts of paragraphs are translated, everything else stays as it is.

Only the XML parts that hold text are changed, with lxml. All other parts (styles, numbering, pictures) are copied byte
for byte, and so are relations, unless they lead to outside files. Every paragraph counts, wherever it is: in the body,
tables, text boxes, lists, hyperlinks, headers, footers, footnotes, endnotes and comments. See `word_spans.py` for what
of a paragraph is text, and `paragraphs.py` for sentences that go over several spans of it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handlers.batch.budget import Budget
from handlers.batch.documents.archives import UNREADABLE, read_entry
from handlers.batch.documents.guard import Guard
from handlers.batch.documents.paragraphs import Paragraph
from handlers.batch.documents.pieces import Target
from handlers.batch.documents.rewriting import WINDOW, Translate
from handlers.batch.documents.word_package import Package, WordLimits, elements, open_package
from handlers.batch.documents.word_relations import ENDING, MAX_BYTES, without_outside_files
from handlers.batch.documents.word_spans import groups, set_text
from handlers.batch.errors import DocumentError

# What older programs read instead of what is beside it: the same text box once more.
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_CHUNK = 1 << 20
# Parsed, XML takes ten times its size.
_LARGE_BYTES = 10_000_000


class WordDocument:
    """A Word document.

    Parameters
    ----------
    source
        The file.
    limits
        Limits of what is read.
    guard
        Asked before it is read.
    """

    def __init__(self, source: Path, limits: WordLimits, guard: Guard) -> None:
        self._source = source
        self._limits = limits
        self._guard = guard

    def count(self) -> int:
        """Count the characters of all parts that hold text."""
        with self._open() as package:
            return package.measure()

    def paragraphs(self, budget: Budget) -> Iterator[str]:
        """Give the text of each paragraph, those of the body first."""
        with self._open() as package:
            self._guard.consent(package.measure(), True)
            for name in package.texts:
                for paragraph in elements(package.take(name), "p"):
                    budget.check()
                    if _is_repeated(paragraph):
                        continue
                    text = "\n".join("".join(spans) for _, spans in groups(paragraph)).strip()
                    budget.characters += len(text)
                    if text:
                        yield text

    def rewrite(self, target: Target, translate: Translate, budget: Budget, language: str) -> None:
        """Translate it into another file."""
        with self._open() as package:
            self._guard.consent(package.measure(), True)
            removed = 0
            with zipfile.ZipFile(target.file, "w", zipfile.ZIP_DEFLATED) as written:
                for entry in package.archive.infolist():
                    budget.check()
                    if entry.filename in package.texts:
                        tree = package.take(entry.filename)
                        _translate_part(tree, translate, budget, language)
                        written.writestr(_like(entry), _serialise(tree))
                    elif entry.filename.lower().endswith(ENDING):
                        removed += _copy_relations(package.archive, entry, written)
                    else:
                        _copy(package.archive, entry, written)
            if removed:
                budget.note(f"{removed} references to files outside of it were taken out.")

    @contextmanager
    def _open(self) -> Iterator[Package]:
        with open_package(self._source, self._limits) as package:
            if package.text_bytes > _LARGE_BYTES:
                self._guard.await_room()
            yield package


def _is_repeated(paragraph: Any) -> bool:
    return next(paragraph.iterancestors(_FALLBACK), None) is not None


def _serialise(tree: Any) -> bytes:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)


def _translate_part(tree: Any, translate: Translate, budget: Budget, language: str) -> None:
    window: list[tuple[list[list[Any]], Paragraph]] = []
    size = 0
    for element in elements(tree, "p"):
        length = 0
        for nodes, spans in groups(element):
            window.append((nodes, Paragraph(spans, [""] * (len(spans) - 1), language)))
            length += sum(map(len, spans))
        budget.characters += 0 if _is_repeated(element) else length
        size += length
        if size >= WINDOW:
            budget.check()
            _translate_window(window, translate)
            window, size = [], 0
    budget.check()
    _translate_window(window, translate)


def _translate_window(window: list[tuple[list[list[Any]], Paragraph]], translate: Translate) -> None:
    units = [unit.text for _, paragraph in window for unit in paragraph.units]
    translations = iter(translate(units) if units else [])
    for spans, paragraph in window:
        texts = paragraph.spans_of([next(translations) for _ in paragraph.units])
        for nodes, old, new in zip(spans, paragraph.spans, texts, strict=True):
            if new != old:
                set_text(nodes, new)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, written: zipfile.ZipFile) -> None:
    try:
        with archive.open(entry) as source, written.open(_like(entry), "w") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
    except UNREADABLE as error:
        raise DocumentError(f"It is corrupt: {entry.filename} cannot be unpacked.") from error


def _copy_relations(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, written: zipfile.ZipFile) -> int:
    """Copy a part of relations without those to outside files; gives how many these were."""
    content, removed = without_outside_files(read_entry(archive, entry.filename, MAX_BYTES), entry.filename)
    written.writestr(_like(entry), content)
    return removed


def _like(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Describe the entry of the new archive: the old one's name, date and kind, so that a rerun writes the same."""
    made = zipfile.ZipInfo(entry.filename, entry.date_time)
    made.compress_type = zipfile.ZIP_STORED if entry.compress_type == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
    made.external_attr = entry.external_attr
    return made
