"""Observing companies."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from handlers.sentiment.batch import Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observing import SNIPPET_CHARACTERS, Observer
from handlers.sentiment.records import Observation, text_hash
from handlers.sentiment.sentiments import Scores, Sentiments
from handlers.sentiment.texts import NoText, RateLimitError, SourceError, Text, Wanted
from schema.companies import Unanalysed
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN
from tests.handlers.sentiment.watch import Watch, last


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
