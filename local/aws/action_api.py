"""MediaWiki's Action API over the pages of the text source: `action=query` with what the product and its baseline use.

Interface: https://www.mediawiki.org/wiki/API:Query, https://www.mediawiki.org/wiki/Extension:TextExtracts
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from local.aws.text_pages import Page, canonical, invalid_reason

API_PATH = "/w/api.php"
MOST_TITLES = 50
MOST_EXTRACTS = 20
MOST_LINKS = 500

_KNOWN = {"extracts", "info", "links", "pageprops"}


class ApiError(Exception):
    """A request that the API refuses."""

    def __init__(self, code: str, info: str) -> None:
        super().__init__(info)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wiki:
    """What a request is answered from.

    Parameters
    ----------
    find
        Returns the page of a canonical title, or None.
    redirects
        Titles that redirect, each with its target, which may redirect again.
    continue_after
        Pages whose properties fit in one answer; None for as many as the limits of the API allow.
    """

    find: Callable[[str], Page | None]
    redirects: Mapping[str, str]
    continue_after: int | None = None


def titles_of(parameters: Mapping[str, str]) -> list[str]:
    """Return the titles that a request names, without repetition."""
    titles = parameters.get("titles", "")
    parts = titles[1:].split("\x1f") if titles.startswith("\x1f") else titles.split("|")
    return list(dict.fromkeys(part for part in parts if part))


def query(parameters: Mapping[str, str], wiki: Wiki) -> dict[str, Any]:
    """Answer a request.

    Raises
    ------
    ApiError
        The API refuses it.
    """
    if parameters.get("action") != "query":
        raise ApiError("badvalue", f'Unrecognized value for parameter "action": {parameters.get("action")}.')
    if parameters.get("format") != "json" or parameters.get("formatversion") != "2":
        raise ApiError("badvalue", "The text source of this project only knows format json, formatversion 2.")
    properties = set(parameters.get("prop", "").split("|")) - {""}
    if unknown := properties - _KNOWN:
        raise ApiError("badvalue", f'Unrecognized value for parameter "prop": {", ".join(sorted(unknown))}.')
    titles = titles_of(parameters)
    if len(titles) > MOST_TITLES:
        raise ApiError("toomanyvalues", f'Too many values supplied for parameter "titles". The limit is {MOST_TITLES}.')
    found = _Resolved(titles, wiki, follow="redirects" in parameters)
    start = int(parameters.get("excontinue") or parameters.get("plcontinue") or parameters.get("ppcontinue") or 0)
    names = [name for name, page in found.pages.items() if isinstance(page, Page)]
    most = min(wiki.continue_after or MOST_TITLES, _most(properties, parameters))
    here = set(names[start : start + most])
    answer: dict[str, Any] = {}
    if start + most < len(names):
        name = "excontinue" if "extracts" in properties else "plcontinue" if "links" in properties else "ppcontinue"
        answer["continue"] = {name: start + most, "continue": "||"}
    else:
        answer["batchcomplete"] = True
    pages = [_entry(name, page, properties, name in here) for name, page in found.pages.items()]
    return {**answer, "query": {**found.steps(), "pages": pages}}


def _most(properties: set[str], parameters: Mapping[str, str]) -> int:
    if "extracts" not in properties:
        return MOST_TITLES
    limit = parameters.get("exlimit", "max")
    return MOST_EXTRACTS if limit == "max" else min(MOST_EXTRACTS, int(limit))


class _Resolved:
    """Pages by title, or why there is none, and the steps that lead to them."""

    def __init__(self, titles: list[str], wiki: Wiki, *, follow: bool) -> None:
        self._normalized: list[dict[str, Any]] = []
        self._redirects: list[dict[str, str]] = []
        self.pages: dict[str, Page | str] = {}
        for title in titles:
            if reason := invalid_reason(title):
                self.pages[title] = reason
                continue
            name = canonical(title)
            if name != title:
                self._normalized.append(_normalized(title, name))
            if wiki.find(name) is None and follow:
                name = self._redirected(name, wiki.redirects)
            self.pages[name] = wiki.find(name) or ""

    def _redirected(self, name: str, redirects: Mapping[str, str]) -> str:
        seen = set[str]()
        while name in redirects and name not in seen:
            seen.add(name)
            step = {"from": name, "to": redirects[name]}
            if step not in self._redirects:
                self._redirects.append(step)
            name = redirects[name]
        return name

    def steps(self) -> dict[str, Any]:
        """Return the fields of the answer that tell how titles lead to pages."""
        lists = {"normalized": self._normalized, "redirects": self._redirects}
        return {name: steps for name, steps in lists.items() if steps}


def _normalized(title: str, name: str) -> dict[str, Any]:
    composed = unicodedata.normalize("NFC", title)
    encoded = composed != title
    return {"fromencoded": encoded, "from": quote(title, safe="") if encoded else title, "to": name}


def _entry(name: str, page: Page | str, properties: set[str], whole: bool) -> dict[str, Any]:
    """Return a page's entry; one that is continued later has no extract, links or properties yet."""
    if isinstance(page, str):
        return (
            {"title": name, "invalidreason": page, "invalid": True}
            if page
            else {"ns": 0, "title": name, "missing": True}
        )
    entry: dict[str, Any] = {"pageid": page.id, "ns": 0, "title": page.title}
    if "info" in properties:
        entry |= {"contentmodel": "wikitext", "lastrevid": page.revision_id, "length": len(page.extract.encode())}
    if whole and "pageprops" in properties and page.type == "disambiguation":
        entry["pageprops"] = {"disambiguation": ""}
    if whole and "extracts" in properties:
        entry["extract"] = page.extract
    if whole and "links" in properties and page.links:
        entry["links"] = [{"ns": 0, "title": title} for title in sorted(page.links)[:MOST_LINKS]]
    return entry


def error_body(code: str, info: str, **fields: float) -> bytes:
    """Return the body of an answer that reports an error."""
    return json.dumps({"error": {"code": code, "info": info, **fields}, "servedby": "local"}).encode()
