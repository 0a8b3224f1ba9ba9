"""Formats of documents: found by the file's name and held to its contents."""

from __future__ import annotations

import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from handlers.batch.budget import Budget
from handlers.batch.documents.encodings import detect, read_text, write_text
from handlers.batch.documents.guard import Guard
from handlers.batch.documents.html import html_pieces
from handlers.batch.documents.markdown import markdown_pieces, read_outline
from handlers.batch.documents.pieces import Piece, Target, Text
from handlers.batch.documents.rewriting import Translate, paragraphs, rewrite
from handlers.batch.documents.text import read_lines, text_pieces
from handlers.batch.documents.word import WordDocument
from handlers.batch.documents.word_package import WordLimits
from handlers.batch.errors import DocumentError
from handlers.batch.sentences import DEFAULT_LANGUAGE

_HEAD_BYTES = 4096
_OLE = b"\xd0\xcf\x11\xe0"
# First bytes of files that often bear a wrong name. Source: https://www.iana.org/assignments/media-types
_SIGNATURES = {
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"{\\rtf": "a rich text document (RTF)",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"7z\xbc\xaf": "an archive (7z)",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    _OLE: "an encrypted or old Microsoft Office document",
}
_CHARSET = re.compile(
    rb"""<meta[^>]+charset\s*=\s*["']?([a-zA-Z0-9_-]+)|^\s*<\?xml[^>]+\sencoding\s*=\s*["']([a-zA-Z0-9_-]+)""",
    re.IGNORECASE,
)
_HTML_START = re.compile(rb"<(?:!doctype\s++html|html|head|body)\b", re.IGNORECASE)


class Limits(NamedTuple):
    """Limits of the documents that are read.

    Attributes
    ----------
    max_bytes
        Of the file.
    word
        Of Word documents.
    """

    max_bytes: int
    word: WordLimits


class Document(Protocol):
    """A document that can be read, and written with other texts."""

    def count(self) -> int:
        """Count the characters of its text: at least as many as are sent to be translated or analysed."""
        ...

    def paragraphs(self, budget: Budget) -> Iterator[str]:
        """Give the text of each paragraph, as a reader sees it."""
        ...

    def rewrite(self, target: Target, translate: Translate, budget: Budget, language: str) -> None:
        """Write the document with its texts translated into another file."""
        ...


class _Stream(ABC):
    """A text format: pieces are read one after the other, and written as they come."""

    errors = "strict"

    def __init__(self, source: Path, guard: Guard) -> None:
        self.source = source
        self.encoding = detect(source, self.declared_encoding())
        self._guard = guard

    def declared_encoding(self) -> str | None:
        return None

    @abstractmethod
    def pieces(self, language: str) -> Iterator[Piece]: ...

    def count(self) -> int:
        # Each text may be sent in a line of its own.
        return sum(len(piece.text) + 1 for piece in self.pieces(DEFAULT_LANGUAGE) if isinstance(piece, Text))

    def paragraphs(self, budget: Budget) -> Iterator[str]:
        self._ask(budget)
        return paragraphs(self.pieces(DEFAULT_LANGUAGE), budget)

    def rewrite(self, target: Target, translate: Translate, budget: Budget, language: str) -> None:
        self._ask(budget)
        parts = rewrite(self.pieces(language), translate, budget, language)
        write_text(target, self.encoding, parts, budget, self.errors)

    def _ask(self, budget: Budget) -> None:
        """Ask whether the document may be read; it is counted only if its size is not enough to know."""
        self._note_encoding(budget)
        # No file has more characters than bytes.
        if not self._guard.consent(self.source.stat().st_size, False):
            self._guard.consent(self.count(), True)

    def _note_encoding(self, budget: Budget) -> None:
        if self.encoding.is_guessed:
            budget.note(f"It does not say its encoding and is not UTF-8, so it was read as {self.encoding.name}.")


class _TextDocument(_Stream):
    def pieces(self, language: str) -> Iterator[Piece]:
        return text_pieces(read_lines(self.source, self.encoding), language)


class _MarkdownDocument(_Stream):
    def pieces(self, language: str) -> Iterator[Piece]:  # noqa: ARG002 - the same for all text formats
        outline = read_outline(read_lines(self.source, self.encoding))
        return markdown_pieces(read_lines(self.source, self.encoding), outline)


class _HtmlDocument(_Stream):
    # A character reference is always understood, whatever the encoding.
    errors = "xmlcharrefreplace"

    def declared_encoding(self) -> str | None:
        found = _CHARSET.search(_head(self.source))
        return (found[1] or found[2]).decode("ascii") if found else None

    def pieces(self, language: str) -> Iterator[Piece]:  # noqa: ARG002
        return html_pieces(read_text(self.source, self.encoding))


_STREAMS: dict[str, type[_Stream]] = {
    ".txt": _TextDocument,
    ".text": _TextDocument,
    ".md": _MarkdownDocument,
    ".markdown": _MarkdownDocument,
    ".html": _HtmlDocument,
    ".htm": _HtmlDocument,
    ".xhtml": _HtmlDocument,
}
# Formats of which no document has more characters than bytes.
BOUND_BY_SIZE = frozenset(_STREAMS)
WORD_SUFFIX = ".docx"
SUFFIXES = (*_STREAMS, WORD_SUFFIX)


def open_document(path: Path, limits: Limits, guard: Guard | None = None) -> Document:
    """Find out what a file is.

    Parameters
    ----------
    path
        The file.
    limits
        Limits of what is read.
    guard
        Asked before it is read; absent: nobody.

    Raises
    ------
    DocumentError
        It is empty, too large, of a type that is not known, or not what its name says.
    """
    size = path.stat().st_size
    if size == 0:
        raise DocumentError("It is empty.")
    if size > limits.max_bytes:
        raise DocumentError(f"It has {size} bytes; at most {limits.max_bytes} are allowed.")
    head = _head(path)
    suffix = path.suffix.lower() if path.suffix.lower() in SUFFIXES else _suffix_of(path, head)
    guard = guard or Guard()
    if suffix == WORD_SUFFIX:
        if not head.startswith((b"PK", _OLE)):
            raise DocumentError(f"Its name ends in {path.suffix}, but it is {_described(head) or 'no Word document'}.")
        return WordDocument(path, limits.word, guard)
    other = _described(head)
    if other:
        raise DocumentError(f"Its name ends in {path.suffix}, but it is {other}.")
    return _STREAMS[suffix](path, guard)


def _suffix_of(path: Path, head: bytes) -> str:
    """Find out the format of a file with another name, where its contents are unmistakable."""
    if head.startswith(b"PK") and _is_word(path):
        return WORD_SUFFIX
    if _begins_like_html(head.removeprefix(b"\xef\xbb\xbf")):
        return ".html"
    other = _described(head)
    is_other = f" It is {other}." if other else ""
    raise DocumentError(f"Documents of this type are not supported.{is_other} Supported are {', '.join(SUFFIXES)}.")


def _begins_like_html(head: bytes) -> bool:
    """Tell whether the first tag, behind white space and comments, is one that HTML begins with."""
    rest = head.lstrip()
    while rest.startswith(b"<!--"):
        _, _, rest = rest.partition(b"-->")
        rest = rest.lstrip()
    return _HTML_START.match(rest) is not None


def _is_word(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "word/document.xml" in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return False


def _described(head: bytes) -> str | None:
    return next((name for signature, name in _SIGNATURES.items() if head.startswith(signature)), None)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
