"""Observing companies."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from handlers.sentiment.batch import Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observing import SNIPPET_CHARACTERS, Analyses, Observed, Observer
from handlers.sentiment.records import Observation, text_hash
from handlers.sentiment.sentiments import Scores, Sentiment, Sentiments
from handlers.sentiment.texts import NoText, RateLimitError, SourceError, Text, Wanted
from schema.companies import Unanalysed
from tests.handlers.aws_fakes import FakeComprehend
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN, FakeSource

SCORES = Scores(0.1, 0.2, 0.3, 0.4)
Outcome = tuple[list[Observation], dict[CompanyMessage, Failure]]


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


@pytest.fixture
def watch(threads: ThreadPoolExecutor) -> Watch:
    return Watch(threads)


OLD = Text("a is old", "en", "7")


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


def test_text_is_analysed(watch: Watch) -> None:
    watch.source.found["a"] = Text("a is good", "en", "7", "Page A")
    before = datetime.now(UTC).replace(microsecond=0)
    [observation], failures = watch.observe("a")
    assert failures == {}
    assert before <= datetime.strptime(observation.observed_at, "%Y-%m-%dT%H:%M:%S%z") <= datetime.now(UTC)
    scores = Scores(0.91, 0.02, 0.05, 0.02)
    name = text_hash(Text("a is good", "en", "7"))
    expected = Observation(
        RUN, observation.observed_at, "a", "POSITIVE", scores, "en", "7", False, "a is good", name, "Page A"
    )
    assert observation == expected
    assert watch.observed.new_texts == {name: watch.source.found["a"]}
    assert (watch.observed.calls_made, watch.observed.calls_saved) == (1, 0)


def test_page_is_looked_up_where_it_differs_and_the_name_is_kept(watch: Watch) -> None:
    [observation], _ = watch.observe(CompanyMessage(RUN, "Meta", "Meta Platforms"))
    assert watch.source.asked == ["Meta Platforms"]
    assert observation.company == "Meta"


@pytest.mark.parametrize(
    "known", [last(), last("UNSUPPORTED", None), last("AMBIGUOUS", None, name=""), last("NOT_FOUND", None, name="")]
)
def test_unchanged_page_never_calls_comprehend(watch: Watch, known: Observation) -> None:
    watch.source.found["a"] = Text("a is good", "en", "7")
    [observation], _ = watch.observe("a", last=known)
    assert watch.comprehend.calls == []
    assert observation == msgspec.structs.replace(known, unchanged=True)
    assert (watch.observed.calls_made, watch.observed.calls_saved) == (0, bool(known.text_hash))


@pytest.mark.parametrize("known", [last(), last("UNSUPPORTED", None), last(revision="")])
def test_unchanged_text_of_a_changed_page_never_calls_comprehend(watch: Watch, known: Observation) -> None:
    """An edit further down on the page leaves its introduction as it is."""
    watch.source.found["a"] = Text(OLD.content, "en", "8")
    [observation], _ = watch.observe("a", last=known)
    assert watch.comprehend.calls == []
    assert observation == msgspec.structs.replace(known, unchanged=True, revision="8")
    assert watch.observed.new_texts == {}
    assert (watch.observed.calls_made, watch.observed.calls_saved) == (0, 1)


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (None, Text("good", "en", "7")),
        (last(revision="6"), Text("good", "en", "7")),
        (last(language="de"), Text("good", "en", "7")),
        (last(revision=""), Text("good", "en", "")),
        (last("NOT_FOUND", None, "", "", ""), Text("good", "en", "7")),
        (last("AMBIGUOUS", None, "", "", ""), Text("good", "en", "")),
        (last(name=""), Text("good", "en", "7")),
    ],
)
def test_text_that_has_changed_is_analysed(watch: Watch, known: Observation | None, text: Text) -> None:
    watch.source.found["a"] = text
    [observation], _ = watch.observe("a", last=known)
    assert (observation.label, observation.unchanged) == ("POSITIVE", False)
    assert watch.comprehend.sent() == [["good"]]


def test_equal_text_in_another_language_is_another_text(watch: Watch) -> None:
    watch.source.found["a"] = Text(OLD.content, "de", "8")
    [observation], _ = watch.observe("a", last=last())
    assert not observation.unchanged
    assert watch.comprehend.sent() == [[OLD.content]]


def test_text_that_was_analysed_before_is_not_analysed_again(watch: Watch) -> None:
    """It came back, or another company has it."""
    text = Text("a is good", "en", "9")
    watch.known[text_hash(text)] = Sentiment("MIXED", SCORES)
    watch.source.found["a"] = text
    [observation], _ = watch.observe("a", last=last())
    assert watch.comprehend.calls == []
    assert (observation.label, observation.scores, observation.unchanged) == ("MIXED", SCORES, False)
    assert (observation.text_hash, observation.snippet) == (text_hash(text), "a is good")
    assert watch.observed.new_texts == {}
    assert (watch.observed.calls_made, watch.observed.calls_saved) == (0, 1)


def test_text_of_two_companies_is_analysed_once(watch: Watch) -> None:
    watch.source.found |= {"a": Text("good", "en", "7"), "b": Text("good", "en", "8")}
    observations, _ = watch.observe("a", "b")
    assert watch.comprehend.sent() == [["good"]]
    assert [observation.label for observation in observations] == ["POSITIVE", "POSITIVE"]
    assert (watch.observed.calls_made, watch.observed.calls_saved) == (1, 1)


def test_texts_that_cannot_be_looked_up_are_not_paid_for(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(names: Iterable[str]) -> Analyses:
        raise TimeoutError("no answer")

    monkeypatch.setattr(watch, "analyses", refuse)
    watch.source.found["b"] = NoText("NOT_FOUND")
    [observation], failures = watch.observe("a", "b")
    assert observation.company == "b"
    assert failures == {CompanyMessage(RUN, "a"): Failure("texts not readable: no answer")}
    assert watch.comprehend.calls == []


def test_only_changed_texts_of_a_batch_are_sent(watch: Watch) -> None:
    watch.source.found |= {"a": Text("old", "en", "7"), "b": Text("new", "en", "8"), "c": NoText("NOT_FOUND")}
    observations, _ = watch.observe("a", "b", "c", last=last())
    assert watch.comprehend.sent() == [["new"]]
    assert {observation.company: observation.label for observation in observations} == {
        "a": "MIXED",
        "b": "NEUTRAL",
        "c": "NOT_FOUND",
    }


@pytest.mark.parametrize("label", ["NOT_FOUND", "AMBIGUOUS"])
def test_company_without_a_text_is_an_observation(watch: Watch, label: Unanalysed) -> None:
    watch.source.found["a"] = NoText(label)
    [observation], failures = watch.observe("a", last=last())
    assert failures == {}
    assert observation == Observation(RUN, observation.observed_at, "a", label)
    assert watch.comprehend.calls == []
    assert (watch.observed.calls_made, watch.observed.calls_saved) == (0, 0)


def test_company_that_stays_without_a_text_is_unchanged(watch: Watch) -> None:
    watch.source.found["a"] = NoText("NOT_FOUND")
    [observation], _ = watch.observe("a", last=last("NOT_FOUND", None, "", "", ""))
    assert (observation.label, observation.unchanged) == ("NOT_FOUND", True)


@pytest.mark.parametrize(("candidates", "unchanged"), [(("A", "B"), True), (("A", "C"), False), ((), False)])
def test_ambiguous_company_is_unchanged_while_its_candidates_are(
    watch: Watch, candidates: tuple[str, ...], unchanged: bool
) -> None:
    watch.source.found["a"] = NoText("AMBIGUOUS", candidates, "8", "A page")
    [observation], _ = watch.observe("a", last=last("AMBIGUOUS", None, "en", "7", "", ("A", "B")))
    assert observation.unchanged is unchanged
    assert (observation.candidates, observation.page, observation.revision) == (candidates, "A page", "8")


def test_ambiguous_page_without_an_edit_is_unchanged(watch: Watch) -> None:
    watch.source.found["a"] = NoText("AMBIGUOUS", ("A", "B", "C"), "7")
    [observation], _ = watch.observe("a", last=last("AMBIGUOUS", None, "en", "7", "", ("A", "B")))
    assert (observation.unchanged, observation.candidates) == (True, ("A", "B"))
    assert watch.observed.calls_saved == 0


def test_revision_of_a_page_without_a_text_is_kept(watch: Watch) -> None:
    watch.source.found["a"] = NoText("AMBIGUOUS", ("a (company)",), "9", "A")
    [first], _ = watch.observe("a")
    assert (first.revision, first.language, first.unchanged) == ("9", "en", False)
    [second], _ = watch.observe("a", last=first)
    assert (second.label, second.revision, second.unchanged) == ("AMBIGUOUS", "9", True)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (SourceError("status 503", 7), Failure("text source: status 503", 7)),
        (RateLimitError("limit reached", 60), Failure("text source: limit reached", 60, counts=False)),
    ],
)
def test_failing_page_fails_only_its_company(watch: Watch, error: Exception, failure: Failure) -> None:
    watch.source.found["b"] = error
    observations, failures = watch.observe("a", "b", "c")
    assert [observation.company for observation in observations] == ["a", "c"]
    assert failures == {CompanyMessage(RUN, "b"): failure}


def test_unexpected_error_of_the_source_is_a_failure_of_each_company(watch: Watch) -> None:
    watch.source.found["b"] = ZeroDivisionError("surprise")
    observations, failures = watch.observe("a", "b")
    assert observations == []
    assert set(failures.values()) == {Failure("text source: ZeroDivisionError: surprise")}


def test_page_without_an_answer_is_a_failure(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch.source, "fetch", lambda wanted, deadline: {})
    _, failures = watch.observe("a")
    assert failures == {CompanyMessage(RUN, "a"): Failure("text source: no answer")}


def test_failing_analysis_fails_only_its_company(watch: Watch) -> None:
    watch.comprehend.item_errors["b is good"] = ["INTERNAL_SERVER_ERROR"] * 9
    observations, failures = watch.observe("a", "b", "c")
    assert [observation.company for observation in observations] == ["a", "c"]
    assert [message.company for message in failures] == ["b"]
    assert "Comprehend: INTERNAL_SERVER_ERROR" in failures[CompanyMessage(RUN, "b")].reason


def test_source_that_misses_its_deadline_is_given_up(watch: Watch) -> None:
    released = threading.Event()
    watch.source.found["a"] = lambda: NoText("NOT_FOUND") if released.wait(5) else NoText("AMBIGUOUS")
    try:
        started = time.monotonic()
        observations, failures = watch.observe("a", seconds=0.8)
        seconds = time.monotonic() - started
    finally:
        released.set()
    assert 0.39 < seconds < 0.7, "texts may take half of the time"
    assert observations == []
    assert failures == {CompanyMessage(RUN, "a"): Failure("text source: no answer in time")}


def test_source_is_asked_once_for_a_batch_and_told_the_known_revisions(watch: Watch) -> None:
    watch.observe("a", CompanyMessage(RUN, "b", "c"), CompanyMessage(RUN, "c"), last=last())
    assert watch.source.batches == [[Wanted("a", "7"), Wanted("c", "7")]]


def test_companies_with_one_page_share_its_text(watch: Watch) -> None:
    watch.source.found["c"] = Text("c is good", "en", "7")
    messages = [CompanyMessage(RUN, "b", "c"), CompanyMessage(RUN, "c")]
    observed = watch.observer().observe(messages, {"c": msgspec.structs.replace(last(), company="c")})
    assert observed.failures == {}
    assert [(one.company, one.unchanged) for one in observed.observations] == [("c", True), ("b", False)]


def test_runs_of_a_batch_share_what_was_fetched(watch: Watch) -> None:
    observer = watch.observer()
    first, second = CompanyMessage(RUN, "a"), CompanyMessage(NEWER_RUN, "a")
    observer.fetch([first, second], {})
    [new] = observer.observe([first], {}).observations
    [old] = observer.observe([second], {"a": new}).observations
    assert (new.unchanged, old.unchanged) == (False, True)
    assert watch.source.asked == ["a"]


@pytest.mark.parametrize(
    ("content", "snippet"),
    [
        ("short", "short"),
        (("word " * 60).strip(), ("word " * 60).strip()),
        (("word " * 100).strip(), ("word " * 59).strip() + "…"),
        ("😀" * SNIPPET_CHARACTERS, "😀" * SNIPPET_CHARACTERS),
    ],
)
def test_snippet_is_the_beginning_of_the_text(watch: Watch, content: str, snippet: str) -> None:
    watch.source.found["a"] = Text(content, "en", "1")
    [observation], _ = watch.observe("a")
    assert observation.snippet == snippet
    assert len(observation.snippet) <= SNIPPET_CHARACTERS


@pytest.mark.parametrize("content", ["ソニーグループは日本の企業です。" * 40, "https://example.com/" + "a" * 400])
def test_snippet_of_a_text_without_spaces_is_its_beginning(watch: Watch, content: str) -> None:
    watch.source.found["a"] = Text(content, "ja", "1")
    [observation], _ = watch.observe("a")
    assert observation.snippet.startswith(content[:100])


def test_slow_analysis_fails_changed_texts_and_leaves_time_for_the_others(watch: Watch) -> None:
    released = threading.Event()
    watch.source.found |= {"a": Text("old", "en", "7"), "b": NoText("NOT_FOUND")}

    def hang(**parameters: Any) -> dict[str, Any]:
        released.wait(5)
        return watch.comprehend.batch_detect_sentiment(**parameters)

    observer = Observer(watch.source, Sentiments(hang), watch.threads, 0.8, watch.analyses)
    started = time.monotonic()
    try:
        observed = observer.observe([CompanyMessage(RUN, name) for name in "abc"], {"a": last()})
        seconds = time.monotonic() - started
    finally:
        released.set()
    assert 0.59 < seconds < 0.79, "analyses have to be there after three quarters of the time"
    assert [observation.label for observation in observed.observations] == ["MIXED", "NOT_FOUND"]
    assert observed.failures == {CompanyMessage(RUN, "c"): Failure("Comprehend: no answer in time")}


def test_runs_of_a_batch_share_the_time_for_texts(watch: Watch) -> None:
    released = threading.Event()
    watch.source.found["a"] = lambda: NoText("NOT_FOUND") if released.wait(5) else NoText("AMBIGUOUS")
    observer = watch.observer(0.8)
    started = time.monotonic()
    try:
        for run in (RUN, NEWER_RUN):
            observer.observe([CompanyMessage(run, "a")], {})
        seconds = time.monotonic() - started
    finally:
        released.set()
    assert seconds < 0.7
