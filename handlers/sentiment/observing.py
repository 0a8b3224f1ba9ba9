"""Observing companies: fetching their texts, and analysing those that changed."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, wait
from datetime import UTC, datetime

from handlers.sentiment.batch import Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observations import Observation
from handlers.sentiment.sentiments import Outcome, Sentiment, SentimentError, Sentiments
from handlers.sentiment.texts import NoText, SourceError, Text, TextSource

SNIPPET_CHARACTERS = 300
# Shares of the invocation's time after which fetching and analysing end; the rest is for writing.
TEXTS_BY = 0.5
SENTIMENTS_BY = 0.75


class Observer:
    """Observes companies.

    Parameters
    ----------
    source
        Source of texts.
    sentiments
        Sentiment analysis.
    threads
        Threads that fetch texts, all at once, and analyse them.
    seconds
        Time left for the whole invocation.
    """

    def __init__(self, source: TextSource, sentiments: Sentiments, threads: Executor, seconds: float) -> None:
        self._source = source
        self._sentiments = sentiments
        self._threads = threads
        started = time.monotonic()
        self._texts_deadline = started + seconds * TEXTS_BY
        self._sentiments_deadline = started + seconds * SENTIMENTS_BY

    @property
    def calls(self) -> int:
        """Number of Comprehend calls so far."""
        return self._sentiments.calls

    def observe(
        self, messages: list[CompanyMessage], latest: dict[str, Observation]
    ) -> tuple[list[Observation], dict[CompanyMessage, Failure]]:
        """Observe companies now.

        Parameters
        ----------
        messages
            The companies.
        latest
            Latest observation by company; its analysis is used again while the text is the same.

        Returns
        -------
        The observations, and the failures of companies that could not be observed.
        """
        observations: list[Observation] = []
        failures: dict[CompanyMessage, Failure] = {}
        changed: list[tuple[CompanyMessage, Text]] = []
        for message, found in self._fetch(messages).items():
            last = latest.get(message.company)
            if isinstance(found, Failure):
                failures[message] = found
            elif isinstance(found, NoText):
                observations.append(_without_text(message, found))
            elif last and _is_analysis_of(last, found):
                observations.append(_observation(message, found, Sentiment(last.label, last.scores), unchanged=True))
            else:
                changed.append((message, found))
        for (message, text), sentiment in zip(changed, self._analyse([text for _, text in changed]), strict=True):
            if isinstance(sentiment, SentimentError):
                failures[message] = Failure(f"Comprehend: {sentiment}")
            else:
                observations.append(_observation(message, text, sentiment, unchanged=False))
        return observations, failures

    def _fetch(self, messages: list[CompanyMessage]) -> dict[CompanyMessage, Text | NoText | Failure]:
        titles = {message: message.page or message.company for message in messages}
        futures = {message: self._threads.submit(self._source.fetch, title) for message, title in titles.items()}
        wait(futures.values(), timeout=_left(self._texts_deadline))
        return {message: _outcome(future) for message, future in futures.items()}

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


def _outcome(future: Future[Text | NoText]) -> Text | NoText | Failure:
    if not future.done():
        future.cancel()
        return Failure("text source: no answer in time")
    try:
        return future.result()
    except SourceError as error:
        return Failure(f"text source: {error}", error.retry_after)
    except Exception as error:  # an unexpected error of one company must not fail the others
        return Failure(f"text source: {type(error).__name__}: {error}")


def _is_analysis_of(last: Observation, text: Text) -> bool:
    known = bool(text.revision) and last.revision == text.revision and last.language == text.language
    return known and (last.scores is not None or last.label == "UNSUPPORTED")


def _without_text(message: CompanyMessage, found: NoText) -> Observation:
    return Observation(message.run, _now(), message.company, found.label)


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
