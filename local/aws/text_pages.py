"""Pages of the text source: encyclopaedia articles on companies, written for this project.

Each file of `local/samples/texts` is a JSON list of pages:

``{"title": "...", "description": "...", "extract": "...", "aliases": ["..."], "type": "standard" | "disambiguation"}``

An alias is a title that redirects to the page, as Wikipedia has for other spellings and short names.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

TEXTS_FOLDER = Path(__file__).parents[1] / "samples" / "texts"

_TIMESTAMP = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the text source.

    Parameters
    ----------
    title
        Canonical title.
    extract
        The summary's plain text.
    revision
        Number of the revision as text; by default derived from the text, so that it changes exactly when the text does.
    description
        Short description.
    type
        ``standard`` or ``disambiguation``.
    language
        Language code of the text.
    """

    title: str
    extract: str
    revision: str = ""
    description: str = "Company"
    type: str = "standard"
    language: str = "en"

    def summary(self) -> dict[str, Any]:
        """Return the page as Wikipedia's summary endpoint answers it."""
        address = f"https://{self.language}.wikipedia.org/wiki/{path_segment(self.title)}"
        digest = hashlib.sha256(self.title.encode()).hexdigest()
        return {
            "type": self.type,
            "title": self.title,
            "displaytitle": f'<span class="mw-page-title-main">{self.title}</span>',
            "namespace": {"id": 0, "text": ""},
            "titles": {"canonical": self.title.replace(" ", "_"), "normalized": self.title, "display": self.title},
            "pageid": int(digest[:7], 16),
            "lang": self.language,
            "dir": "rtl" if self.language in ("ar", "he") else "ltr",
            "revision": self.revision or _revision_of(self.extract),
            "tid": f"{digest[:8]}-{digest[8:12]}-11f0-{digest[12:16]}-{digest[16:28]}",
            "timestamp": _TIMESTAMP,
            "description": self.description,
            "description_source": "local",
            "content_urls": {"desktop": {"page": address}, "mobile": {"page": address}},
            "extract": self.extract,
            "extract_html": f"<p>{self.extract}</p>",
        }


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
            pages.append(Page(**entry))
    return pages, aliases


def canonical(title: str) -> str:
    """Return a title as Wikipedia spells it: NFC, single spaces for underscores, first letter in upper case."""
    text = " ".join(unicodedata.normalize("NFC", title).replace("_", " ").split())
    return text[:1].upper() + text[1:]


def path_segment(title: str) -> str:
    """Return a title as it stands in the path of a URL."""
    return quote(title.replace(" ", "_"), safe="")


def _revision_of(text: str) -> str:
    # Ten digits, like today's revision numbers of the English Wikipedia.
    return str(1_000_000_000 + int(hashlib.sha256(text.encode()).hexdigest()[:7], 16))
