"""Answers of the Action API, the fields that are used (`formatversion=2`).

Interface: https://www.mediawiki.org/wiki/API:Query
"""

from __future__ import annotations

from typing import Any

import msgspec


class Step(msgspec.Struct, rename={"source": "from"}):
    """A title, and the title to which it leads, perhaps in another wiki."""

    source: str
    to: str
    fromencoded: bool = False
    tointerwiki: str = ""


class Link(msgspec.Struct):
    """A page that is linked."""

    title: str


class Page(msgspec.Struct):
    """A page, or a title without one.

    Attributes
    ----------
    ns
        Namespace; articles are in 0.
    missing, invalid, special
        Why there is no article.
    invalidreason
        Text for the log.
    lastrevid
        Id of the newest revision.
    pageprops
        Has the key `disambiguation` if the page lists several meanings.
    extract
        The introduction.
    links
        Pages that it links.
    """

    title: str
    ns: int = 0
    missing: bool = False
    invalid: bool = False
    special: bool = False
    invalidreason: str = ""
    lastrevid: int = 0
    pageprops: dict[str, str] = {}
    extract: str | None = None
    links: list[Link] = []

    def add(self, more: Page) -> None:
        """Add what a continued answer has about this page."""
        self.lastrevid = self.lastrevid or more.lastrevid
        self.pageprops = {**self.pageprops, **more.pageprops}
        self.extract = more.extract if self.extract is None else self.extract
        self.links = [*self.links, *more.links]


class Query(msgspec.Struct):
    """The pages, the titles that belong to other wikis, and the steps that lead to them."""

    pages: list[Page] = []
    interwiki: list[Link] = []
    normalized: list[Step] = []
    converted: list[Step] = []
    redirects: list[Step] = []

    @property
    def steps(self) -> list[Step]:
        """All steps."""
        return [*self.normalized, *self.converted, *self.redirects]

    @property
    def elsewhere(self) -> set[str]:
        """Titles of other wikis."""
        return {link.title for link in self.interwiki} | {step.to for step in self.redirects if step.tointerwiki}


class ApiError(msgspec.Struct):
    """An error of the whole request.

    Attributes
    ----------
    code
        Such as `maxlag`.
    info
        Text for the log.
    lag
        With `maxlag`, seconds by which the databases are behind.
    """

    code: str
    info: str = ""
    lag: float = 0


class Answer(msgspec.Struct, rename={"more": "continue"}):
    """An answer.

    Attributes
    ----------
    more
        Parameters that continue the request; absent after the last part.
    """

    query: Query | None = None
    error: ApiError | None = None
    more: dict[str, Any] | None = None
