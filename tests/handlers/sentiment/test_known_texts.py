"""Texts that are the same, and texts that were analysed before."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from handlers.sentiment.batch import Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.observing import Analyses
from handlers.sentiment.records import Observation, text_hash
from handlers.sentiment.sentiments import Sentiment
from handlers.sentiment.texts import NoText, Text
from tests.handlers.sentiment.pipeline import RUN
from tests.handlers.sentiment.watch import OLD, SCORES, Watch, last


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
