"""Observing companies: fetching their texts, and analysing those that changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

import msgspec

from handlers.common.times import utc_now
from handlers.sentiment.batch import Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.records import Observation, says_the_same, text_hash
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

# Analyses by the hash of their text.
Analyses = dict[str, Sentiment]


class Observed(msgspec.Struct):
    """What was observed of companies.

    Attributes
    ----------
    observations
        One per company that could be observed.
    failures
        Why the other companies could not be observed.
    new_texts
        By hash, the texts that were analysed for the first time.
    calls_made
        Number of these texts; each is a paid analysis.
    calls_saved
        Number of observations whose analysis was used again.
    """

    observations: list[Observation] = msgspec.field(default_factory=list)
    failures: dict[CompanyMessage, Failure] = msgspec.field(default_factory=dict)
    new_texts: dict[str, Text] = msgspec.field(default_factory=dict)
    calls_made: int = 0
    calls_saved: int = 0


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
    analyses
        Reads the analyses of texts, by their hashes; texts that were never analysed are left out.
    """

    def __init__(
        self,
        source: TextSource,
        sentiments: Sentiments,
        threads: Executor,
        seconds: float,
        analyses: Callable[[Iterable[str]], Analyses],
    ) -> None:
        self._source = source
        self._analyses = analyses
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

    def observe(self, messages: list[CompanyMessage], latest: dict[str, Observation]) -> Observed:
        """Observe companies now.

        Parameters
        ----------
        messages
            The companies, each once.
        latest
            Latest observation by company; its analysis is used again while the text is the same.
        """
        self.fetch(messages, latest)
        observed = Observed()
        texts: dict[CompanyMessage, Text] = {}
        for message in messages:
            last = latest.get(message.company)
            found = self._answer(self._wanted(message, last))
            if isinstance(found, SourceError):
                observed.failures[message] = _failure(found)
            elif isinstance(found, NoText):
                observed.observations.append(self._without_text(message, found, last))
            elif isinstance(found, Unchanged) and last:
                observed.observations.append(_repeated(message, last, last.revision))
            elif isinstance(found, Text) and last and last.text_hash == text_hash(found):
                observed.observations.append(_repeated(message, last, found.revision))
            elif isinstance(found, Text):
                texts[message] = found
            else:  # never silently: the message would count as done
                observed.failures[message] = Failure("text source: no answer")
        self._observe_texts(texts, observed)
        with_text = sum(bool(one.text_hash) for one in observed.observations)
        observed.calls_saved = with_text - observed.calls_made
        return observed

    def _observe_texts(self, texts: dict[CompanyMessage, Text], observed: Observed) -> None:
        """Observe companies whose text has changed; a text that was analysed before is not analysed again."""
        by_hash = {text_hash(text): text for text in texts.values()}
        try:
            outcomes: dict[str, Outcome] = {**self._analyses(by_hash)} if by_hash else {}
        except Exception as error:
            observed.failures.update(dict.fromkeys(texts, Failure(f"texts not readable: {error}")))
            return
        new = {name: text for name, text in by_hash.items() if name not in outcomes}
        for name, outcome in zip(new, self._analyse(list(new.values())), strict=True):
            outcomes[name] = outcome
            if isinstance(outcome, Sentiment):
                observed.new_texts[name] = new[name]
        observed.calls_made = len(observed.new_texts)
        for message, text in texts.items():
            outcome = outcomes[text_hash(text)]
            if isinstance(outcome, SentimentError):
                observed.failures[message] = Failure(f"Comprehend: {outcome}")
            else:
                observed.observations.append(_observation(message, text, outcome))

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
        is_known = last is not None and last.language == self._source.language and _is_complete(last)
        return Wanted(message.page or message.company, last.revision if last and is_known else "")

    def _without_text(self, message: CompanyMessage, found: NoText, last: Observation | None) -> Observation:
        observation = Observation(
            run=message.run,
            observed_at=utc_now(),
            company=message.company,
            label=found.label,
            language=self._source.language if found.revision else "",
            revision=found.revision,
            page=found.page,
            candidates=found.candidates,
            reason=found.reason,
        )
        return msgspec.structs.replace(observation, unchanged=says_the_same(observation, last))

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


def _is_complete(last: Observation) -> bool:
    """Tell whether a new observation of the same revision would say the same.

    Versions before texts were stored wrote no hash; then the text is fetched, so that it is stored.
    """
    return bool(last.text_hash) or last.label in ("NOT_FOUND", "AMBIGUOUS")


def _repeated(message: CompanyMessage, last: Observation, revision: str) -> Observation:
    return msgspec.structs.replace(last, run=message.run, company=message.company, revision=revision, unchanged=True)


def _observation(message: CompanyMessage, text: Text, sentiment: Sentiment) -> Observation:
    return Observation(
        run=message.run,
        observed_at=utc_now(),
        company=message.company,
        label=sentiment.label,
        scores=sentiment.scores,
        language=text.language,
        revision=text.revision,
        snippet=_beginning(text.content),
        text_hash=text_hash(text),
        page=text.page,
    )


def _beginning(content: str) -> str:
    """Cut a text to a snippet: between words, where the writing has spaces."""
    if len(content) <= SNIPPET_CHARACTERS:
        return content
    start = content[: SNIPPET_CHARACTERS - 1]
    space = start.rfind(" ")
    return (start[:space] if space > SNIPPET_CHARACTERS // 2 else start) + "…"
