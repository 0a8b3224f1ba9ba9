"""Pages of the text source: encyclopaedia articles on companies, written for this project.

Each file of `local/samples/texts` is a JSON list of pages:

``{"title": "...", "description": "...", "extract": "...", "aliases": ["..."], "type": "standard" | "disambiguation",
"links": ["..."]}``

An alias is a title that redirects to the page, as Wikipedia has for other spellings and short names. The links are the
articles that a page with several meanings names.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

TEXTS_FOLDER = Path(__file__).parents[1] / "samples" / "texts"

_TITLE_BYTES = 255
_ILLEGAL = re.compile("[#<>\\[\\]|{}\x00-\x1f\x7f\ufffd]")
_RELATIVE = re.compile(r"^\.{1,2}(/|$)|/\.{1,2}(/|$)|~~~")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the text source.

    Parameters
    ----------
    title
        Canonical title.
    extract
        The introduction's plain text.
    revision
        Number of the revision as text; by default derived from the text, so that it changes exactly when the text does.
    description
        Short description.
    type
        ``standard`` or ``disambiguation``.
    links
        Titles of the articles that it links.
    """

    title: str
    extract: str
    revision: str = ""
    description: str = "Company"
    type: str = "standard"
    links: tuple[str, ...] = ()

    @property
    def id(self) -> int:
        """Number of the page."""
        return int(hashlib.sha256(self.title.encode()).hexdigest()[:7], 16)

    @property
    def revision_id(self) -> int:
        """Number of its newest revision."""
        # Ten digits, like today's revision numbers of the English Wikipedia.
        return int(self.revision or 1_000_000_000 + int(hashlib.sha256(self.extract.encode()).hexdigest()[:7], 16))


def read_pages(folder: Path) -> tuple[list[Page], dict[str, str]]:
    """Read the pages of all JSON files of a folder.

    Returns
    -------
    The pages, and the aliases with the title of the page to which each redirects.
    """
    pages: list[Page] = []
    aliases: dict[str, str] = {}
    for file in sorted(folder.glob("*.json")):
        for entry in json.loads(file.read_text(encoding="utf-8")):
            aliases |= dict.fromkeys(entry.pop("aliases", []), entry["title"])
            pages.append(Page(**{**entry, "links": tuple(entry.get("links", []))}))
    return pages, aliases


def canonical(title: str) -> str:
    """Return a title as Wikipedia spells it: NFC, single spaces for underscores, first letter in upper case."""
    text = " ".join(unicodedata.normalize("NFC", title).replace("_", " ").split())
    return text[:1].upper() + text[1:]


def invalid_reason(title: str) -> str:
    """Return why MediaWiki accepts no page of a title; empty if it does."""
    name = canonical(title)
    if not name:
        return "The requested page title is empty or contains only the name of a namespace."
    if found := _ILLEGAL.search(name):
        return f'The requested page title contains invalid characters: "{found[0]}".'
    if _RELATIVE.search(name):
        return "Title has relative path."
    if len(name.encode()) > _TITLE_BYTES:
        return "The requested page title is too long."
    return ""
