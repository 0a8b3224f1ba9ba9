"""Documents that cannot be processed: each is refused with a reason that its owner understands."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from handlers.batch.documents.registry import Limits, open_document
from handlers.batch.documents.word_package import WordLimits
from handlers.batch.errors import DocumentError
from tests.handlers.batch.support import LIMITS, budget, rewrite
from tests.handlers.batch.word_documents import changed, full_document, simple_document

DOCUMENT = "word/document.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def laughs() -> bytes:
    """A body of entities that would become gigabytes."""
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return (
        f'<?xml version="1.0"?><!DOCTYPE w:document [{entities}]><w:document xmlns:w="{space}"><w:body><w:p><w:r>'
        "<w:t>&j;</w:t></w:r></w:p></w:body></w:document>"
    ).encode()


def external() -> bytes:
    return laughs().replace(b'<!ENTITY a "ha">', b'<!ENTITY a SYSTEM "file:///etc/passwd">')


def replaced(content: bytes | None) -> bytes:
    return changed(simple_document("words"), lambda name, part: content if name == DOCUMENT else part)


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(DOCUMENT, b"<a>" + b" " * 20_000_000 + b"</a>")
    return out.getvalue()


def lying_bomb() -> bytes:
    """Declares a size that is smaller than what is inside."""
    content = bytearray(replaced(b"<a>" + b" " * 20_000_000 + b"</a>"))
    real, small = struct.pack("<I", 20_000_007), struct.pack("<I", 1000)
    assert content.count(real) == 2
    return bytes(content.replace(real, small))


def many_files() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    return out.getvalue()


def any_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"words")
    return out.getvalue()


def other_office() -> bytes:
    """A table of a spreadsheet program under the name of a Word document."""
    return changed(
        simple_document("words"),
        lambda name, part: (
            part.replace(b"wordprocessingml.document.main", b"spreadsheetml.sheet.main")
            if name == "[Content_Types].xml"
            else part
        ),
    )


def encrypted_zip() -> bytes:
    content = bytearray(simple_document("words"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 4)
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(full_document())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.getinfo(DOCUMENT).header_offset
    for at in range(start + 100, start + 300):
        content[at] ^= 0xFF
    return bytes(content)


def damaged_picture() -> bytes:
    content = full_document()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(name for name in archive.namelist() if "media" in name)
        start = archive.getinfo(name).header_offset + 30 + len(name)
    changing = bytearray(content)
    changing[start + 20] ^= 0xFF
    return bytes(changing)


# Contents that take time to make are made by the tests that need them, not when tests are collected.
BAD: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "empty": ("a.txt", b"", "It is empty"),
    "binary": ("a.txt", b"abc\0def", "not a text"),
    "pdf as text": ("a.txt", b"%PDF-1.7 ...", "Its name ends in .txt, but it is a PDF"),
    "word as text": ("a.md", lambda: simple_document("words"), "Its name ends in .md, but it is a zip archive"),
    "text as word": ("a.docx", b"plain words", "Its name ends in .docx, but it is no Word document"),
    "picture as word": ("a.docx", b"\x89PNG....", "is a picture"),
    "unknown": ("a.xlsx", b"PK\x03\x04....", "not supported. It is a zip archive. Supported are .txt"),
    "no suffix": ("README", b"words", "not supported"),
    "encrypted": ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "It is encrypted"),
    "old word": ("a.docx", OLE, "old .doc format"),
    "encrypted zip": ("a.docx", encrypted_zip, "It is encrypted"),
    "cut off": ("a.docx", lambda: full_document()[:-2000], "corrupt"),
    "damaged": ("a.docx", damaged, "corrupt"),
    "damaged picture": ("a.docx", damaged_picture, "corrupt"),
    "no body": ("a.docx", lambda: replaced(None), "document.xml is missing"),
    "no xml": ("a.docx", lambda: replaced(b"<a><b></a>"), "not valid XML"),
    "empty xml": ("a.docx", lambda: replaced(b""), "not valid XML"),
    "entities": ("a.docx", lambda: replaced(laughs()), "not valid XML"),
    "one entity": ("a.docx", lambda: replaced(laughs().replace(b"&j;", b"&a;")), "document type"),
    "outside entities": ("a.docx", lambda: replaced(external()), "document type|not valid XML"),
    "bomb": ("a.docx", bomb, "too large when unpacked"),
    "lying bomb": ("a.docx", lying_bomb, "cannot be unpacked|not valid XML"),
    "any zip": ("a.docx", any_zip, r"\[Content_Types\].xml is missing"),
    "other office": ("a.docx", other_office, "It is an Office document, but none of Word"),
    "many files": ("a.docx", many_files, "too large when unpacked: 10001 files"),
    "too large": ("a.txt", b"a" * 10_000_001, "at most 10000000 are allowed"),
    "deep xml": ("a.docx", lambda: replaced(b"<a>" * 100_000), "not valid XML"),
}


@cache
def bad_document(kind: str) -> tuple[str, bytes, str]:
    """Name, content, and why it is refused."""
    name, content, reason = BAD[kind]
    return name, content() if callable(content) else content, reason


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_document_is_refused(tmp_path: Path, kind: str) -> None:
    name, content, reason = bad_document(kind)
    with pytest.raises(DocumentError, match=reason):
        rewrite(tmp_path, name, content)


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind != "damaged picture"])
def test_a_bad_document_is_not_analysed(tmp_path: Path, kind: str) -> None:
    name, content, reason = bad_document(kind)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DocumentError, match=reason):
        list(open_document(tmp_path / name, LIMITS).paragraphs(budget()))


@pytest.mark.parametrize(
    ("name", "content"), [("a.bin", simple_document("words here")), ("page", b"<!DOCTYPE html><p>words here")]
)
def test_contents_count_where_the_name_says_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert list(open_document(tmp_path / name, LIMITS).paragraphs(budget())) == ["words here"]


def test_the_time_of_a_document_is_limited(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words\n" * 100)
    with pytest.raises(DocumentError, match=r"longer than the time limit of 1e-09 seconds"):
        list(open_document(tmp_path / "a.txt", LIMITS).paragraphs(budget(1e-9)))


def test_limits_are_given(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(simple_document("words"))
    with pytest.raises(DocumentError, match="at most 10000 files with 1000 bytes"):
        list(open_document(tmp_path / "a.docx", Limits(10**6, WordLimits(1000, 10))).paragraphs(budget()))
