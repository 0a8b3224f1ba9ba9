"""Word documents for tests, made with python-docx."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import docx
from docx.enum.text import WD_BREAK
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor


def picture() -> bytes:
    """The smallest picture: one grey point, as PNG."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")
    )


@cache
def full_document() -> bytes:
    """A document with everything a user's has."""
    document: Any = docx.Document()
    document.add_heading("The annual report", level=1)
    paragraph = document.add_paragraph("The company ")
    run = paragraph.add_run("Contoso")
    run.bold = True
    run.font.size = Pt(14)
    paragraph.add_run(" grew by 3.5 percent.")
    paragraph.add_run(" This sentence is plain.")
    document.add_paragraph("A bullet point", style="List Bullet")
    document.add_paragraph("A numbered point", style="List Number")
    coloured = document.add_paragraph().add_run("All of it is red and")
    coloured.font.color.rgb = RGBColor(255, 0, 0)
    coloured.add_tab()
    coloured.add_text("after the tab")
    coloured.add_break(WD_BREAK.LINE)
    coloured.add_text("after the break")
    table = document.add_table(rows=2, cols=2, style="Table Grid")
    for number, text in enumerate(("Year", "Result", "2026", "A good one")):
        table.cell(number // 2, number % 2).text = text
    table.cell(1, 1).add_table(1, 1).cell(0, 0).text = "A table in a table"
    _add_hyperlink(document.add_paragraph("See "), "the web site", "https://example.com/")
    document.add_picture(io.BytesIO(picture()))
    section = document.sections[0]
    section.header.paragraphs[0].text = "Confidential header"
    section.footer.paragraphs[0].text = "Footer of the page"
    return saved(document)


def split_document(texts: list[str], bold: list[bool]) -> bytes:
    """A paragraph of runs."""
    document: Any = docx.Document()
    paragraph = document.add_paragraph()
    for text, is_bold in zip(texts, bold, strict=True):
        paragraph.add_run(text).bold = is_bold
    return saved(document)


@cache
def simple_document(*texts: str) -> bytes:
    document: Any = docx.Document()
    for text in texts:
        document.add_paragraph(text)
    return saved(document)


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def changed(document: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Change the parts of a document; a part that becomes None is left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = change(entry.filename, old.read(entry))
            if content is not None:
                new.writestr(entry.filename, content)
    return out.getvalue()


SPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"


def with_footnotes(document: bytes, text: str) -> bytes:
    """Add a part of footnotes."""
    return with_part(document, "footnotes", f"<w:footnote><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:footnote>")


def with_part(document: bytes, kind: str, inner: str) -> bytes:
    """Add a part that holds text, and the note of it in the table of contents."""
    override = f'<Override PartName="/word/{kind}.xml" ContentType="{_TYPE}.{kind}+xml"/></Types>'.encode()
    noted = changed(
        document,
        lambda name, part: part.replace(b"</Types>", override) if name == "[Content_Types].xml" else part,
    )
    out = io.BytesIO(noted)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(f"word/{kind}.xml", f'<w:{kind} xmlns:w="{SPACE}">{inner}</w:{kind}>')
    return out.getvalue()


def with_body(inner: str) -> bytes:
    """A document with this in its body; prefixes are those that Word uses."""
    spaces = {
        "w": SPACE,
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "v": "urn:schemas-microsoft-com:vml",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    }
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    body = f"<w:document {declared}><w:body>{inner}<w:sectPr/></w:body></w:document>".encode()
    return changed(simple_document("x"), lambda name, part: body if name == "word/document.xml" else part)


def _add_hyperlink(paragraph: Any, text: str, address: str) -> None:
    relation = paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), relation)
    run = OxmlElement("w:r")
    element = OxmlElement("w:t")
    element.text = text
    run.append(element)
    link.append(run)
    paragraph._p.append(link)
