"""The package of a Word document: which of its parts hold text, and how long it is."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from handlers.batch.documents.archives import open_archive, read_entry
from handlers.batch.errors import DocumentError

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_W_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
# Says what each part is; their names are up to the program that wrote them.
_TYPES = "[Content_Types].xml"
# Ten thousand parts take less.
_MAX_TYPES_BYTES = 1_000_000
_OVERRIDE = "{http://schemas.openxmlformats.org/package/2006/content-types}Override"
_TEXT_TYPE = re.compile(
    r"application/vnd\.(?:openxmlformats-officedocument\.wordprocessingml|ms-word)"
    r"\.(?:[\w.]+\.)?(main|header|footer|footnotes|endnotes|comments)\+xml",
    re.IGNORECASE,
)
_PROPERTIES = "docProps/app.xml"
_PAGES = re.compile(rb"<(?:\w++:)?Pages>\s*+(\d{1,9})\s*+</")
_MAX_PROPERTIES_BYTES = 1_000_000
# A page of text is some 20 KB of XML, so thousands of pages fit into a part.
_MAX_PART_BYTES = 50_000_000
# Characters of a page that is full of text.
_PAGE_CHARACTERS = 3000
# Documents with less text, unpacked, are parsed once and kept; larger ones are parsed again, one part at a time.
KEPT_BYTES = 2_000_000


class WordLimits(NamedTuple):
    """Limits of what is read.

    Attributes
    ----------
    max_expanded
        Bytes of all parts when unpacked.
    max_pages
        Pages, as the program that wrote the document has counted them, or as many as its text would fill.
    """

    max_expanded: int
    max_pages: int


class Package:
    """An open package.

    Parameters
    ----------
    archive
        The package.
    limits
        Limits of what is read.

    Attributes
    ----------
    archive
        The package.
    texts
        Names of the parts that hold text, each once, the body's first.
    text_bytes
        Size of all parts that hold text, when unpacked.

    Raises
    ------
    DocumentError
        It is no Word document, damaged or too large.
    """

    def __init__(self, archive: zipfile.ZipFile, limits: WordLimits) -> None:
        self.archive = archive
        self.texts = _text_parts(archive, limits)
        self.text_bytes = sum(entry.file_size for entry in archive.infolist() if entry.filename in set(self.texts))
        self._limits = limits
        self._kept: dict[str, Any] = {}

    def take(self, name: str) -> Any:
        """Read a part as an XML tree, which the package forgets.

        Raises
        ------
        DocumentError
            It is missing, damaged or too large.
        """
        return self._kept.pop(name) if name in self._kept else _parse(self.archive, name, self._limits)

    def measure(self) -> int:
        """Count the characters of all parts that hold text, before anything is paid for.

        Returns
        -------
        At least as many characters as are sent to be translated.

        Raises
        ------
        DocumentError
            It has more pages than are allowed.
        """
        characters = texts = pages = 0
        for name in self.texts:
            tree = self.take(name)
            found = [len(text.text or "") for text in elements(tree, "t")]
            characters += sum(found)
            texts += len(found)
            pages = max(pages, _turned_pages(tree) + 1)
            if self.text_bytes <= KEPT_BYTES:
                self._kept[name] = tree
        pages = max(pages, -(-characters // _PAGE_CHARACTERS), _counted_pages(self.archive))
        if pages > self._limits.max_pages:
            raise DocumentError(f"It has about {pages} pages; at most {self._limits.max_pages} are allowed. Split it.")
        # Each text may be sent in a line of its own.
        return characters + texts


@contextmanager
def open_package(path: Path, limits: WordLimits) -> Iterator[Package]:
    """Open a document.

    Raises
    ------
    DocumentError
        It is no Word document, damaged, encrypted or too large.
    """
    with open_archive(path, limits.max_expanded) as archive:
        yield Package(archive, limits)


def elements(tree: Any, name: str) -> Iterator[Any]:
    """Give all elements of a name, in both ways that Word documents are written."""
    return tree.iter(_W + name, _W_STRICT + name)


def parse_xml(content: bytes, name: str) -> Any:
    """Read XML from strangers as a tree.

    Raises
    ------
    DocumentError
        It is damaged, or declares a document type.
    MemoryError
        There is not enough memory for it.
    """
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it has no type stubs

    # Entities are not expanded, nothing is fetched, and no Word document has a document type to begin with.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(content, parser).getroottree()
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise DocumentError(f"It is corrupt: {name} is not valid XML.") from error
    if tree.docinfo.doctype or tree.docinfo.internalDTD is not None:
        raise DocumentError(f"It is corrupt: {name} declares a document type, which no Word document does.")
    return tree


def _parse(archive: zipfile.ZipFile, name: str, limits: WordLimits) -> Any:
    return parse_xml(read_entry(archive, name, min(limits.max_expanded, _MAX_PART_BYTES)), name)


def _text_parts(archive: zipfile.ZipFile, limits: WordLimits) -> list[str]:
    bodies: set[str] = set()
    others: set[str] = set()
    types = parse_xml(read_entry(archive, _TYPES, min(limits.max_expanded, _MAX_TYPES_BYTES)), _TYPES)
    for override in types.iter(_OVERRIDE):
        found = _TEXT_TYPE.fullmatch(override.get("ContentType", ""))
        if found:
            (bodies if found[1].lower() == "main" else others).add(override.get("PartName", "").lstrip("/"))
    if not bodies:
        raise DocumentError("It is an Office document, but none of Word.")
    return [*sorted(bodies), *sorted(others - bodies)]


def _turned_pages(tree: Any) -> int:
    """Count the ends of pages in a part."""
    rendered = sum(1 for _ in elements(tree, "lastRenderedPageBreak"))
    breaks = sum("page" in line.attrib.values() for line in elements(tree, "br"))
    return max(rendered, breaks)


def _counted_pages(archive: zipfile.ZipFile) -> int:
    """Give the number of pages that is noted in the document; not every program does."""
    if _PROPERTIES not in archive.namelist():
        return 0
    found = _PAGES.search(read_entry(archive, _PROPERTIES, _MAX_PROPERTIES_BYTES))
    return int(found[1]) if found else 0
