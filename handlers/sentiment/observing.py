"""Observing companies: fetching their texts, and analysing those that changed."""

from __future__ import annotations

import time
from concurrent.futures import Executor
from datetime import UTC, datetime

import msgspec

from handlers.sentiment.batch import Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observations import Observation
from handlers.sentiment.sentiments import Outcome, Sentiment, SentimentError, Sentiments
from handlers.sentiment.texts import (
    Answers,
    Found,
    NoText,
    RateLimitError,
    SourceError,
    Text,
    TextSource,
    Unchanged,
    Wanted,
)

SNIPPET_CHARACTERS = 300
# Shares of the invocation's time after which fetching and analysing end; the rest is for writing.
TEXTS_BY = 0.5
SENTIMENTS_BY = 0.75
# Share of the time for which a source that does not keep to its deadline is waited for.
_GRACE = 0.05


class Observer:
    """Observes companies.

    Parameters
    ----------
    source
        Source of texts.
    sentiments
        Sentiment analysis.
    threads
        Threads that fetch texts and analyse them.
    seconds
        Time left for the whole invocation.
    """

    def __init__(self, source: TextSource, sentiments: Sentiments, threads: Executor, seconds: float) -> None:
        self._source = source
        self._sentiments = sentiments
        self._threads = threads
        started = time.monotonic()
        self._texts_deadline = started + seconds * TEXTS_BY
        self._grace = seconds * _GRACE
        self._answers: Answers = {}
        # Texts by title: whoever knows no revision, or another one, can use them too.
        self._texts: dict[str, Text | NoText] = {}
        self._sentiments_deadline = started + seconds * SENTIMENTS_BY

    @property
    def calls(self) -> int:
        """Number of Comprehend calls so far."""
        return self._sentiments.calls

    def fetch(self, messages: list[CompanyMessage], latest: dict[str, Observation]) -> None:
        """Fetch the texts of companies that will be observed, all at once.

        Parameters
        ----------
        messages
            The companies, of one run or of several.
        latest
            Latest observation by company; a text is not fetched again while its revision is the same.
        """
        wanted = [self._wanted(message, latest.get(message.company)) for message in messages]
        missing = [one for one in dict.fromkeys(wanted) if self._answer(one) is None]
        if not missing:
            return
        answers = self._ask(missing)
        for one in missing:
            found = self._answers[one] = answers.get(one, SourceError("no answer"))
            if isinstance(found, Text | NoText):
                self._texts[one.title] = found

    def observe(
        self, messages: list[CompanyMessage], latest: dict[str, Observation]
    ) -> tuple[list[Observation], dict[CompanyMessage, Failure]]:
        """Observe companies now.

        Parameters
        ----------
        messages
            The companies, each once.
        latest
            Latest observation by company; its analysis is used again while the text is the same.

        Returns
        -------
        The observations, and the failures of companies that could not be observed.
        """
        self.fetch(messages, latest)
        observations: list[Observation] = []
        failures: dict[CompanyMessage, Failure] = {}
        changed: list[tuple[CompanyMessage, Text]] = []
        for message in messages:
            last = latest.get(message.company)
            found = self._answer(self._wanted(message, last))
            if isinstance(found, SourceError):
                failures[message] = _failure(found)
            elif isinstance(found, NoText):
                observations.append(self._without_text(message, found))
            elif isinstance(found, Unchanged) and last:
                observations.append(_repeated(message, last))
            elif isinstance(found, Text) and last and _is_analysis_of(last, found):
                observations.append(_observation(message, found, Sentiment(last.label, last.scores), unchanged=True))
            elif isinstance(found, Text):
                changed.append((message, found))
            else:  # never silently: the message would count as done
                failures[message] = Failure("text source: no answer")
        for (message, text), sentiment in zip(changed, self._analyse([text for _, text in changed]), strict=True):
            if isinstance(sentiment, SentimentError):
                failures[message] = Failure(f"Comprehend: {sentiment}")
            else:
                observations.append(_observation(message, text, sentiment, unchanged=False))
        return observations, failures

    def _ask(self, wanted: list[Wanted]) -> Answers:
        """Ask the source; an unexpected error, or a source that hangs, must not end the invocation."""
        asking = self._threads.submit(self._source.fetch, wanted, self._texts_deadline)
        try:
            return asking.result(timeout=_left(self._texts_deadline) + self._grace)
        except TimeoutError:
            asking.cancel()
            return dict.fromkeys(wanted, SourceError("no answer in time"))
        except Exception as error:
            return dict.fromkeys(wanted, SourceError(f"{type(error).__name__}: {error}"))

    def _answer(self, wanted: Wanted) -> Found | SourceError | None:
        return self._answers.get(wanted) or self._texts.get(wanted.title)

    def _wanted(self, message: CompanyMessage, last: Observation | None) -> Wanted:
        is_known = last is not None and last.language == self._source.language
        return Wanted(message.page or message.company, last.revision if last and is_known else "")

    def _without_text(self, message: CompanyMessage, found: NoText) -> Observation:
        language = self._source.language if found.revision else ""
        return Observation(
            message.run, _now(), message.company, found.label, language=language, revision=found.revision
        )

    def _analyse(self, texts: list[Text]) -> list[Outcome]:
        """Analyse texts; gives up on all of them in time to write the other observations."""
        if not texts:
            return []
        analysing = self._threads.submit(self._sentiments.analyse, texts)
        try:
            return analysing.result(timeout=_left(self._sentiments_deadline))
        except TimeoutError:
            return [SentimentError("no answer in time") for _ in texts]


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _failure(error: SourceError) -> Failure:
    return Failure(f"text source: {error}", error.retry_after, counts=not isinstance(error, RateLimitError))


def _is_analysis_of(last: Observation, text: Text) -> bool:
    known = bool(text.revision) and last.revision == text.revision and last.language == text.language
    return known and (last.scores is not None or last.label == "UNSUPPORTED")


def _repeated(message: CompanyMessage, last: Observation) -> Observation:
    return msgspec.structs.replace(last, run=message.run, company=message.company, observed_at=_now(), unchanged=True)


def _observation(message: CompanyMessage, text: Text, sentiment: Sentiment, *, unchanged: bool) -> Observation:
    return Observation(
        run=message.run,
        observed_at=_now(),
        company=message.company,
        label=sentiment.label,
        scores=sentiment.scores,
        language=text.language,
        revision=text.revision,
        unchanged=unchanged,
        snippet=_beginning(text.content),
    )


def _beginning(content: str) -> str:
    """Cut a text to a snippet: between words, where the writing has spaces."""
    if len(content) <= SNIPPET_CHARACTERS:
        return content
    start = content[: SNIPPET_CHARACTERS - 1]
    space = start.rfind(" ")
    return (start[:space] if space > SNIPPET_CHARACTERS // 2 else start) + "…"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
