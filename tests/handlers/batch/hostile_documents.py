"""Documents that want to take more than their share, or to leave their place."""

from __future__ import annotations

import io
import zipfile

from tests.handlers.batch.word_documents import SPACE, changed, simple_document, with_part

_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_TYPES = "[Content_Types].xml"


def many_signs(kilobytes: int) -> bytes:
    """Markdown whose signs of emphasis are never closed."""
    return b"*a_" * (kilobytes * 1000 // 3)


def repeated_parts(number: int) -> bytes:
    """A Word document that names its footnotes many times."""
    document = with_part(
        simple_document("words"), "footnotes", "<w:footnote><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote>"
    )
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{_TYPE}.footnotes+xml"/>'.encode()
    return changed(document, lambda name, part: part.replace(override, override * number) if name == _TYPES else part)


def large_types(megabytes: int) -> bytes:
    """A Word document whose table of contents is large, and small when compressed."""
    padding = b'<Default Extension="png" ContentType="image/png"/>'
    count = megabytes * 1_000_000 // len(padding)
    return changed(
        simple_document("words"),
        lambda name, part: part.replace(b"</Types>", padding * count + b"</Types>") if name == _TYPES else part,
    )


def large_body(megabytes: int) -> bytes:
    """A Word document of many empty paragraphs, which takes many times its size in memory."""
    paragraph = b"<w:p/>"
    body = b'<w:document xmlns:w="%s"><w:body>%s</w:body></w:document>' % (
        SPACE.encode(),
        paragraph * (megabytes * 1_000_000 // len(paragraph)),
    )
    return changed(simple_document("x"), lambda name, part: body if name == "word/document.xml" else part)


def many_footnotes(characters: int) -> bytes:
    """A Word document with a short body and long footnotes."""
    text = "<w:footnote><w:p><w:r><w:t>" + "words of a note " * 60 + "</w:t></w:r></w:p></w:footnote>"
    return with_part(simple_document("short"), "footnotes", text * (characters // 960 + 1))


def with_entry(name: str) -> bytes:
    """A Word document with one more file."""
    out = io.BytesIO(simple_document("words"))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"evil")
    return out.getvalue()


def with_relation(kind: str, target: str, identifier: str = "rId77") -> bytes:
    """A Word document with a relation to something outside of it."""
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = (
        f'<Relationship Id="{identifier}" Type="{base}/{kind}" Target="{target}" TargetMode="External"/>'.encode()
    )
    return changed(
        simple_document("words"),
        lambda name, part: (
            part.replace(b"</Relationships>", relation + b"</Relationships>")
            if name == "word/_rels/document.xml.rels"
            else part
        ),
    )
