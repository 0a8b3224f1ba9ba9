"""Text source: introductions of Wikipedia's articles.

One request tells the revisions of up to 50 pages that are known. Another one has the introductions of up to 20 pages
that changed or are new. A third one lists the meanings of ambiguous names, where these changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from handlers.common.chunks import chunks
from handlers.common.logs import logger
from handlers.sentiment.texts import (
    Answers,
    BudgetError,
    Found,
    NoText,
    RateLimitError,
    SourceError,
    Text,
    Unchanged,
    Wanted,
    cut_to_bytes,
)
from handlers.sentiment.wikipedia import titles
from handlers.sentiment.wikipedia.action_api import ActionApi
from handlers.sentiment.wikipedia.answers import Page
from schema.retry import full_jitter
from schema.wikipedia import CANDIDATES, PAGES_PER_REQUEST, TEXTS_PER_REQUEST

# Longest pause before a request that failed is repeated, in seconds.
REPEAT_SECONDS = 0.4
# Kept of the reason that MediaWiki gives for refusing a title.
REASON_CHARACTERS = 100

# Errors that no page is the cause of.
_OF_EVERYBODY = (RateLimitError, BudgetError)

Result = TypeVar("Result")


class Wikipedia:
    """Introductions of Wikipedia's articles. See `TextSource`.

    Parameters
    ----------
    api
        The Action API of the Wikipedia in that language.
    language
        Language of its texts, as Amazon Comprehend names it.
    sleep
        Waits a number of seconds.
    """

    def __init__(self, api: ActionApi, language: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.api = api
        self.language = language
        self._sleep = sleep
        # Of a language with several scripts, such as Chinese, titles and texts are asked for in the region's own.
        script = {"variant": language.lower()} if "-" in language else {}
        self._conversion = {"converttitles": "1", **script} if language.startswith("zh") else script

    def fetch(self, wanted: Sequence[Wanted], deadline: float) -> Answers:
        """Get introductions of pages; redirects are followed. See `TextSource.fetch`."""
        answers: Answers = {}
        asked: dict[Wanted, str] = {}
        for one in wanted:
            title = titles.clean(one.title)
            if reason := titles.mistake(title):
                answers[one] = _not_found(one.title, f"not a title: {reason}")
            else:
                asked[one] = title
        known = _distinct(title for one, title in asked.items() if one.revision)
        pages = self._gather(known, PAGES_PER_REQUEST, self._revisions, deadline)
        new = _distinct(title for one, title in asked.items() if _has_new_text(one, pages.get(title)))
        texts = self._gather(new, TEXTS_PER_REQUEST, self._introductions, deadline)
        for one, title in asked.items():
            page = pages.get(title)
            answers[one] = self._answer(one, texts[title] if _has_new_text(one, page) else page)
        return answers | self._meanings_of(answers, deadline)

    def _answer(self, wanted: Wanted, page: Page | SourceError | None) -> Found | SourceError:
        """Tell what a page says; a page with several meanings has no candidates yet."""
        if not isinstance(page, Page):
            return page or SourceError("not asked for")
        if reason := _absence(page):
            return _not_found(wanted.title, reason)
        revision = str(page.lastrevid)
        if revision == wanted.revision:
            return Unchanged(page.title)
        if _is_ambiguous(page):
            return NoText("AMBIGUOUS", revision=revision, page=page.title)
        content = cut_to_bytes(" ".join((page.extract or "").split()))
        if not content:
            return NoText("NOT_FOUND", revision=revision, page=page.title, reason="no introduction")
        return Text(content, self.language, revision, page.title)

    def _meanings_of(self, answers: Answers, deadline: float) -> Answers:
        """Complete the answers for pages with several meanings."""
        found = {one: answer for one, answer in answers.items() if isinstance(answer, NoText) and answer.page}
        ambiguous = {one: answer.page for one, answer in found.items() if answer.label == "AMBIGUOUS"}
        meanings = self._gather(_distinct(ambiguous.values()), PAGES_PER_REQUEST, self._meanings, deadline)
        return {one: meanings[page] for one, page in ambiguous.items()}

    def _revisions(self, names: list[str], deadline: float) -> dict[str, Page]:
        """Find the pages of titles, with their revisions."""
        return self._pages(names, {"prop": "info|pageprops"}, deadline)

    def _introductions(self, names: list[str], deadline: float) -> dict[str, Page]:
        """Find the pages of titles, with their revisions and introductions."""
        parameters = {
            "prop": "info|pageprops|extracts",
            "exintro": "1",
            "explaintext": "1",
            "exlimit": str(TEXTS_PER_REQUEST),
        }
        return self._pages(names, parameters, deadline)

    def _pages(self, names: list[str], parameters: dict[str, str], deadline: float) -> dict[str, Page]:
        query = self.api.query(
            {
                **parameters,
                "ppprop": "disambiguation",
                "redirects": "1",
                "titles": "|".join(names),
                **self._conversion,
            },
            deadline,
        )
        pages = {title: Page(title, special=True) for title in query.elsewhere}
        pages |= {page.title: page for page in query.pages}
        spellings = titles.Spellings(query.steps)
        return {name: pages[page] for name in names if (page := spellings.page(name)) in pages}

    def _meanings(self, names: list[str], deadline: float) -> dict[str, Found]:
        """Get the articles that pages with several meanings link."""
        query = self.api.query(
            {"prop": "info|links", "plnamespace": "0", "pllimit": "max", "titles": "|".join(names)}, deadline
        )
        return {
            page.title: NoText("AMBIGUOUS", _candidates(page), str(page.lastrevid), page.title) for page in query.pages
        }

    def _gather(
        self,
        names: list[str],
        size: int,
        ask: Callable[[list[str], float], dict[str, Result]],
        deadline: float,
    ) -> dict[str, Result | SourceError]:
        """Ask for pages, so many at once; returns what was found of each, or why not."""
        found: dict[str, Result | SourceError] = {}
        try:
            for some in chunks(names, size):
                self._isolate(some, ask, deadline, found)
        except _OF_EVERYBODY as error:  # it would meet the others, too, and whoever fails has to be asked for again
            errors = {name: error for name in names if isinstance(found.get(name, error), SourceError)}
            found |= errors
        return {name: found.get(name, SourceError("not in the answer")) for name in names}

    def _isolate(
        self,
        names: list[str],
        ask: Callable[[list[str], float], dict[str, Result]],
        deadline: float,
        found: dict[str, Result | SourceError],
    ) -> None:
        """Ask for pages; if one of them is the cause of a failure, get the others.

        The failing half is halved again, as long as the other half answers. If neither does, the source is to blame:
        further requests would be wasted.
        """
        failing = self._attempt([names], ask, deadline, found)
        while failing:
            self._sleep(full_jitter(1, REPEAT_SECONDS, REPEAT_SECONDS))
            halves = chunks(failing[0], -(-len(failing[0]) // 2))
            failing = self._attempt(halves, ask, deadline, found)
            if len(failing) == len(halves) or (failing and len(failing[0]) == 1):
                return

    def _attempt(
        self,
        parts: list[list[str]],
        ask: Callable[[list[str], float], dict[str, Result]],
        deadline: float,
        found: dict[str, Result | SourceError],
    ) -> list[list[str]]:
        """Ask for the pages of each part; returns the parts that failed."""
        failed: list[list[str]] = []
        for part in parts:
            try:
                found |= ask(part, deadline)
            except _OF_EVERYBODY:
                raise
            except SourceError as error:
                found |= dict.fromkeys(part, error)
                failed.append(part)
        return failed


def _absence(page: Page) -> str:
    """Tell why there is no article; empty if there is one."""
    if page.invalid:
        return f"not a title: {page.invalidreason}"
    if page.missing:
        return "no such page"
    if page.special or page.ns != 0:
        return "not an article"
    return "" if page.lastrevid else "no revision"


def _is_ambiguous(page: Page) -> bool:
    return "disambiguation" in page.pageprops


def _has_new_text(wanted: Wanted, page: Page | SourceError | None) -> bool:
    """Tell whether a page's text is to be asked for; `page` is what is known of its revision, None if nothing is."""
    if not wanted.revision or page is None:
        return True
    if isinstance(page, SourceError) or _absence(page) or _is_ambiguous(page):
        return False
    return str(page.lastrevid) != wanted.revision


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _not_found(title: str, reason: str) -> NoText:
    logger.info("no text", extra={"title": title, "reason": reason})
    return NoText("NOT_FOUND", reason=reason[:REASON_CHARACTERS])


def _candidates(page: Page) -> tuple[str, ...]:
    """Choose the meanings of a name: those that begin with it first. The API lists them in alphabetical order."""
    name = page.title.partition(" (")[0].casefold()
    linked = [link.title for link in page.links]
    return tuple(sorted(linked, key=lambda title: not title.casefold().startswith(name))[:CANDIDATES])
