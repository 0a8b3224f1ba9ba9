"""Small documents of all formats. Reading them once loads and prepares what other documents need."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from handlers.batch.documents.registry import Document, Limits, open_document
from handlers.batch.documents.word_package import WordLimits

_TEXT = "The quarter was good, and sales grew by 3.5 percent. Dr. Smith expects more of it, e.g. in the north.\n"
_MARKDOWN = f"# Report\n\n{_TEXT}\n- A *first* point\n- A **second** one, see [the site](https://example.com/)\n"
_HTML = (
    f'<!doctype html><html><head><title>Report</title></head><body><p title="a">{_TEXT}<b>Bold</b></p></body></html>'
)
_SPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RUNS = "".join(f"<w:r><w:rPr><w:b/></w:rPr><w:t>{word} </w:t></w:r>" for word in _TEXT.split())
_WORD_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override'
    ' PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml'
    '.document.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>',
    "word/document.xml": f'<w:document xmlns:w="{_SPACE}"><w:body><w:p>{_RUNS}</w:p></w:body></w:document>',
}
_LIMITS = Limits(1_000_000, WordLimits(1_000_000, 10))
# More than once: the first time prepares what the second time uses.
_TURNS = 3


def read_samples(read: Callable[[Document], object]) -> None:
    """Open a document of each format, and do something with it.

    Parameters
    ----------
    read
        Gets each document.
    """
    word = io.BytesIO()
    with zipfile.ZipFile(word, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _WORD_PARTS.items():
            archive.writestr(name, content)
    contents = {
        "a.txt": _TEXT.encode(),
        "a.md": _MARKDOWN.encode(),
        "a.html": _HTML.encode(),
        "a.docx": word.getvalue(),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            path = Path(folder) / name
            path.write_bytes(content)
            for _ in range(_TURNS):
                read(open_document(path, _LIMITS))
