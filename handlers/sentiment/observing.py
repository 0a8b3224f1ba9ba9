"""Observing companies: their texts, and the sentiment of those that changed."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, wait
from datetime import UTC, datetime

from handlers.sentiment.batch import Failure
from handlers.sentiment.observations import Observation
from handlers.sentiment.sentiments import Sentiment, SentimentError, Sentiments
from handlers.sentiment.texts import NoText, SourceError, Text, TextSource
from handlers.sentiment.work import Work

SNIPPET_CHARACTERS = 300
# By when, as parts of the invocation's time, texts have to be there and analysed; the rest is for writing.
TEXTS_BY = 0.5
SENTIMENTS_BY = 0.75


class Observer:
    """Observes companies.

    Parameters
    ----------
    source
        Where texts come from.
    sentiments
        What analyses them.
    threads
        What fetches texts, all at once, and waits for their sentiments.
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
        """How many Comprehend calls were made."""
        return self._sentiments.calls

    def observe(
        self, works: list[Work], latest: dict[str, Observation]
    ) -> tuple[list[Observation], dict[Work, Failure]]:
        """Observe companies now.

        Parameters
        ----------
        works
            The companies.
        latest
            What was last seen of each; its analysis is used again while the text is the same.

        Returns
        -------
        An observation of each company that could be observed, and why the others could not.
        """
        observations: list[Observation] = []
        failures: dict[Work, Failure] = {}
        changed: list[tuple[Work, Text]] = []
        for work, found in self._fetch(works).items():
            last = latest.get(work.company)
            if isinstance(found, Failure):
                failures[work] = found
            elif isinstance(found, NoText):
                observations.append(_without_text(work, found))
            elif last and _is_analysis_of(last, found):
                observations.append(_observation(work, found, Sentiment(last.label, last.scores), unchanged=True))
            else:
                changed.append((work, found))
        for (work, text), sentiment in zip(changed, self._analyse([text for _, text in changed]), strict=True):
            if isinstance(sentiment, SentimentError):
                failures[work] = Failure(f"Comprehend: {sentiment}")
            else:
                observations.append(_observation(work, text, sentiment, unchanged=False))
        return observations, failures

    def _fetch(self, works: list[Work]) -> dict[Work, Text | NoText | Failure]:
        futures = {work: self._threads.submit(self._source.fetch, work.page or work.company) for work in works}
        wait(futures.values(), timeout=_left(self._texts_deadline))
        return {work: _outcome(future) for work, future in futures.items()}

    def _analyse(self, texts: list[Text]) -> list[Sentiment | SentimentError]:
        """Analyse texts, or give up on all of them in time to write what else was observed."""
        if not texts:
            return []
        analysing = self._threads.submit(self._sentiments.of, texts)
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
    except Exception as error:  # one company's surprise must not hold up the others
        return Failure(f"text source: {type(error).__name__}: {error}")


def _is_analysis_of(last: Observation, text: Text) -> bool:
    known = bool(text.revision) and last.revision == text.revision and last.language == text.language
    return known and (last.scores is not None or last.label == "UNSUPPORTED")


def _without_text(work: Work, found: NoText) -> Observation:
    return Observation(work.run, _now(), work.company, found.label)


def _observation(work: Work, text: Text, sentiment: Sentiment, *, unchanged: bool) -> Observation:
    return Observation(
        run=work.run,
        observed_at=_now(),
        company=work.company,
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
