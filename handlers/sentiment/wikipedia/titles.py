"""Titles of pages: what cannot be one, and the page to which a spelling leads.

Rules: https://www.mediawiki.org/wiki/Manual:Page_title
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from handlers.sentiment.wikipedia.answers import Step
from schema.wikipedia import TITLE_BYTES

_IMPOSSIBLE = re.compile("[#<>\\[\\]|{}\x00-\x1f\x7f\ufffd\ud800-\udfff]")


def clean(title: str) -> str:
    """Spell a title as it is sent: normalised to NFC, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", title).replace("_", " ").split())


def mistake(title: str) -> str:
    """Tell why no page can have a title, which is as `clean` spells it; empty if one can."""
    if not title:
        return "it is empty"
    if found := _IMPOSSIBLE.search(title):
        return f"it contains {found[0]!r}"
    if len(title.encode()) > TITLE_BYTES:
        return f"it is longer than {TITLE_BYTES} bytes"
    return ""


class Spellings:
    """The page to which each spelling leads: normalised, converted to another script, redirected.

    Parameters
    ----------
    steps
        Steps from one title to another, in any order.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._next: Mapping[str, str] = {_from(step): step.to for step in steps}

    def page(self, title: str) -> str:
        """Follow a title to the title of its page; a circle ends where it began to repeat."""
        seen = {title}
        while (title_after := self._next.get(title)) and title_after not in seen:
            seen.add(title_after)
            title = title_after
        return title


def _from(step: Step) -> str:
    # MediaWiki writes a title that it had to normalise to NFC with percent-encoding.
    return unquote(step.source) if step.fromencoded else step.source
