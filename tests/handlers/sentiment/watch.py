"""An observer on fakes."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from handlers.sentiment.batch import Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observing import Analyses, Observed, Observer
from handlers.sentiment.records import Observation, text_hash
from handlers.sentiment.sentiments import Scores, Sentiments
from handlers.sentiment.texts import Text
from tests.handlers.aws_fakes import FakeComprehend
from tests.handlers.sentiment.pipeline import RUN, FakeSource

SCORES = Scores(0.1, 0.2, 0.3, 0.4)
Outcome = tuple[list[Observation], dict[CompanyMessage, Failure]]
OLD = Text("a is old", "en", "7")


class Watch:
    """An observer on fakes."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.threads = threads
        self.source = FakeSource()
        self.comprehend = FakeComprehend()
        self.known: Analyses = {}
        self.observed = Observed()

    def observer(self, seconds: float = 30) -> Observer:
        sentiments = Sentiments(self.comprehend.batch_detect_sentiment, sleep=lambda _: None)
        return Observer(self.source, sentiments, self.threads, seconds, self.analyses)

    def analyses(self, names: Iterable[str]) -> Analyses:
        return {name: self.known[name] for name in names if name in self.known}

    def observe(
        self, *companies: str | CompanyMessage, last: Observation | None = None, seconds: float = 30
    ) -> Outcome:
        messages = [
            company if isinstance(company, CompanyMessage) else CompanyMessage(RUN, company) for company in companies
        ]
        observer = self.observer(seconds)
        latest = {message.company: last for message in messages} if last else {}
        self.observed = observer.observe(messages, latest)
        assert observer.calls == len(self.comprehend.calls)
        return self.observed.observations, self.observed.failures


def last(
    label: str = "MIXED",
    scores: Scores | None = SCORES,
    language: str = "en",
    revision: str = "7",
    name: str = text_hash(OLD),
    candidates: tuple[str, ...] = (),
) -> Observation:
    """The latest observation, of the text `OLD` unless something else is said."""
    return Observation(
        RUN,
        "2026-11-21T06:47:00Z",
        "a",
        label,
        scores,
        language,
        revision,
        snippet="old",
        text_hash=name,
        candidates=candidates,
    )
