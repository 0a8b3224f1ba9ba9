"""Encodings of text files: found out by reading the file once, and kept when it is written."""

from __future__ import annotations

import codecs
import contextlib
import io
import re
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from handlers.batch.budget import Budget
from handlers.batch.documents.pieces import Target
from handlers.batch.errors import DocumentError

CHUNK = 65_536
# Bytes that Windows' encoding of western Europe does not define.
_UNDEFINED_IN_1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
_NOT_ASCII = bytes(range(0x80, 0x100))
_ASCII_LETTERS = string.ascii_letters.encode()
# Letters that have an accent, of all letters of a text of western Europe; it is a tenth where there are many.
_MOST_ACCENTED = 0.5
# The longer one first: it begins like another.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Encodings that documents declare: https://encoding.spec.whatwg.org/#names-and-labels
_DECLARED = re.compile(
    r"iso-?8859-?\d+|latin-?\d+|(?:windows-?|cp)(?:125\d|874|932|949|866)|koi8-?[ru]|shift[_-]?jis|sjis|euc[_-](?:jp|kr)"
    r"|gbk?|gb2312|gb18030|big5(?:-?hkscs)?|iso-2022-jp|mac(?:intosh|cyrillic)|ks_c_5601-1987"
)
# What browsers take for Windows' encoding, which has the same letters and more.
_WESTERN = re.compile(r"(?:iso-?8859-?|latin-?)1|(?:windows-?|cp)1252")


class Encoding(NamedTuple):
    """How a text file is encoded.

    Attributes
    ----------
    name
        As Python knows it, without a byte order mark.
    mark
        The byte order mark the file begins with, or nothing.
    is_guessed
        Nothing says that it is this one.
    """

    name: str
    mark: bytes = b""
    is_guessed: bool = False


def detect(path: Path, declared: str | None = None) -> Encoding:
    """Find out how a file is encoded.

    Parameters
    ----------
    path
        Read from its beginning to its end, in chunks.
    declared
        What the document says itself; counts when it is a known encoding and there is no byte order mark.

    Raises
    ------
    DocumentError
        It is no text.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return Encoding(name, mark)
    found = _without_mark(path)
    label = (declared or "").lower()
    if found.name == "utf-8" or _WESTERN.fullmatch(label):
        return Encoding(found.name)
    if _DECLARED.fullmatch(label):
        with contextlib.suppress(LookupError):
            return Encoding(codecs.lookup(label).name)
    if found.accented > _MOST_ACCENTED:
        raise DocumentError("Its encoding cannot be told. Save it as UTF-8 and upload it again.")
    return Encoding(found.name, is_guessed=True)


class _Found(NamedTuple):
    """What a file without a mark is by its bytes, and the share of its letters that are none of ASCII."""

    name: str
    accented: float


def _without_mark(path: Path) -> _Found:
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = is_1252 = True
    accented = letters = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if b"\0" in chunk:
                raise DocumentError("It is not a text: it contains bytes that no text has.")
            if is_utf8:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    is_utf8 = False
            is_1252 = is_1252 and not any(byte in chunk for byte in _UNDEFINED_IN_1252)
            accented += len(chunk) - len(chunk.translate(None, _NOT_ASCII))
            letters += len(chunk) - len(chunk.translate(None, _ASCII_LETTERS))
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    if is_utf8:
        return _Found("utf-8", 0)
    return _Found("cp1252" if is_1252 else "latin-1", accented / max(accented + letters, 1))


def read_text(path: Path, encoding: Encoding) -> Iterator[str]:
    """Read a file in chunks, line ends as they are.

    Raises
    ------
    DocumentError
        It is not encoded as it says.
    """
    with open_text(path, encoding) as file:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except UnicodeDecodeError as error:
            raise DocumentError(f"It is corrupt: not valid {encoding.name}.") from error


def open_text(path: Path, encoding: Encoding) -> io.TextIOWrapper:
    """Open a file behind its byte order mark."""
    file = path.open("rb")
    file.seek(len(encoding.mark))
    return io.TextIOWrapper(file, encoding=encoding.name, newline="")


def write_text(
    target: Target, encoding: Encoding, parts: Iterable[str], budget: Budget, errors: str = "strict"
) -> None:
    """Write a file in its encoding; one that cannot hold the text becomes UTF-8, and the report says so.

    Parameters
    ----------
    target
        Where to.
    encoding
        That of the document that was read.
    parts
        The text; read once.
    budget
        Takes the note.
    errors
        What to do with characters the encoding does not have: `strict` or `xmlcharrefreplace`.
    """
    target.file.write(encoding.mark)
    rest = iter(parts)
    for part in rest:
        try:
            target.file.write(part.encode(encoding.name, errors))
        except UnicodeEncodeError:
            _become_utf8(target, encoding.name)
            budget.note(f"Written in UTF-8: {encoding.name} does not have all characters of the translation.")
            target.file.write(part.encode())
            target.file.writelines(further.encode() for further in rest)


def _become_utf8(target: Target, name: str) -> None:
    """Write what is there again, in UTF-8."""
    _copy(target.file, target.scratch)
    target.scratch.seek(0)
    target.file.seek(0)
    target.file.truncate()
    decoder = codecs.getincrementaldecoder(name)()
    while chunk := target.scratch.read(CHUNK):
        target.file.write(decoder.decode(chunk).encode())


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    source.seek(0)
    while chunk := source.read(CHUNK):
        target.write(chunk)
