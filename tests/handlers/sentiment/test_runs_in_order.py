"""Runs that follow each other, meet and overtake each other."""

from __future__ import annotations

from handlers.sentiment.records import text_hash
from handlers.sentiment.texts import Text
from schema.companies import BATCHES_PREFIX, RESULTS_PREFIX
from tests.handlers.aws_fakes import client_error
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN, Pipeline, failed, ids, records

BOTH = [(RUN, "a"), (RUN, "b")]


def test_older_run_that_finishes_after_a_newer_one_has_nothing_to_add(pipeline: Pipeline) -> None:
    # First the companies are read, then the newer run does all its work.
    pipeline.dynamodb.afterwards["BatchGetItem"] = lambda: _succeed(pipeline, NEWER_RUN)
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(NEWER_RUN, "a")]
    assert pipeline.latest("a") == NEWER_RUN
    assert (pipeline.counted(RUN)["looked_at"], pipeline.counted(RUN)["overtaken"]) == (0, 1)


def test_older_run_that_begins_after_a_newer_one_asks_nobody(pipeline: Pipeline) -> None:
    _succeed(pipeline, NEWER_RUN)
    pipeline.source.asked.clear()
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.source.asked == []
    assert pipeline.published() == [(NEWER_RUN, "a")]
    assert pipeline.counted(RUN)["overtaken"] == 1


def test_newer_run_that_an_older_one_anticipates_looks_again(pipeline: Pipeline) -> None:
    """The older run saw a text that the newer one has not compared with."""
    pipeline.source.found["a"] = Text("first", "en", "1")
    pipeline.dynamodb.afterwards["BatchGetItem"] = lambda: _succeed(pipeline, RUN)
    assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == ids("a", run=NEWER_RUN)
    assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == []
    assert pipeline.published() == [(RUN, "a")]
    assert pipeline.latest("a") == NEWER_RUN
    assert (pipeline.counted(RUN)["changed"], pipeline.counted(NEWER_RUN)["unchanged"]) == (1, 1)


def test_abandoned_older_run_does_not_become_the_latest(pipeline: Pipeline) -> None:
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown")] * 2
    pipeline.deliver(records("a"))
    pipeline.source.found["a"] = Text("a is new", "en", "new")
    _succeed(pipeline, NEWER_RUN)
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(RUN, "a"), (NEWER_RUN, "a")]
    assert pipeline.latest("a") == NEWER_RUN
    assert (pipeline.counted(RUN)["changed"], pipeline.counted(NEWER_RUN)["changed"]) == (1, 1)


def test_abandoned_look_that_a_newer_run_has_overtaken(pipeline: Pipeline) -> None:
    """Its count is lost with it; it is never counted twice."""
    pipeline.deliver(records("a"))
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown")]
    assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == ids("a", run=NEWER_RUN)
    newest = "20261121T070200Z-00000002"
    _succeed(pipeline, newest)
    pipeline.pass_claims()
    _succeed(pipeline, NEWER_RUN)
    assert pipeline.latest("a") == newest
    assert (pipeline.counted(NEWER_RUN)["looked_at"], pipeline.counted(NEWER_RUN)["overtaken"]) == (0, 1)


def test_latest_observation_of_a_run_of_the_future_is_replaced(pipeline: Pipeline) -> None:
    """Versions before runs were checked accepted one; no other run would ever look at the company again."""
    _succeed(pipeline, RUN)
    pipeline.dynamodb.items["a", "latest"]["run"] = {"S": "99991231T235959Z-0123abcd"}
    _succeed(pipeline, NEWER_RUN)
    assert pipeline.latest("a") == NEWER_RUN


def _succeed(pipeline: Pipeline, run: str) -> None:
    assert failed(pipeline.deliver(records("a", run=run))) == []


def test_two_runs_in_one_batch_are_two_objects(pipeline: Pipeline) -> None:
    pipeline.deliver(records("b", run="20261121T064700Z-00000000"))
    pipeline.source.found["b"] = Text("b is new", "en", "new")
    batch = pipeline.deliver([*records("b", "c", run=NEWER_RUN), *records("a", "b")])
    assert failed(batch) == []
    assert pipeline.published()[1:] == [*BOTH, (NEWER_RUN, "c")]
    for prefix in (RESULTS_PREFIX, BATCHES_PREFIX):
        assert [key.partition("dt=")[2][11:36] for key in pipeline.s3.keys(prefix)][1:] == [RUN, NEWER_RUN]
    assert pipeline.latest("b") == NEWER_RUN
    assert (pipeline.counted(NEWER_RUN)["changed"], pipeline.counted(NEWER_RUN)["unchanged"]) == (1, 1)


def test_failure_of_one_run_is_not_the_other_runs(pipeline: Pipeline) -> None:
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown")] * 2
    batch = pipeline.deliver([*records("a"), *records("b", run=NEWER_RUN)])
    assert failed(batch) == ids("a")
    assert pipeline.published() == [(NEWER_RUN, "b")]


def test_second_run_of_a_batch_does_not_analyse_the_same_text_again(pipeline: Pipeline) -> None:
    pipeline.deliver([*records("a"), *records("a", run=NEWER_RUN)])
    assert pipeline.comprehend.sent() == [["a is good"]]
    assert pipeline.published() == [(RUN, "a")]
    assert pipeline.latest("a") == NEWER_RUN


def test_next_run_publishes_what_changed_and_nothing_else(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a", "b"))
    pipeline.source.found["b"] = Text("b is new", "en", "new")
    assert failed(pipeline.deliver(records("a", "b", run=NEWER_RUN))) == []
    assert pipeline.comprehend.sent() == [["a is good", "b is good"], ["b is new"]]
    assert [(row["company"], row["label"], row["unchanged"]) for row in pipeline.s3.rows()[2:]] == [
        ("b", "NEUTRAL", "false"),
    ]
    assert ("a", NEWER_RUN) not in pipeline.dynamodb.items


def test_text_that_comes_back_is_a_change_that_costs_nothing(pipeline: Pipeline) -> None:
    first = Text("a is good", "en", "1")
    runs = [RUN, NEWER_RUN, "20261121T070200Z-00000002"]
    for run, text in zip(runs, [first, Text("vandalism", "en", "2"), Text("a is good", "en", "3")], strict=True):
        pipeline.source.found["a"] = text
        _succeed(pipeline, run)
    assert pipeline.comprehend.sent() == [["a is good"], ["vandalism"]]
    assert [(row["run"], row["label"]) for row in pipeline.s3.rows()] == [
        (runs[0], "POSITIVE"),
        (runs[1], "NEUTRAL"),
        (runs[2], "POSITIVE"),
    ]
    assert (pipeline.counted(runs[2])["calls_made"], pipeline.counted(runs[2])["calls_saved"]) == (0, 1)
    hashes = [row["text_hash"] for row in pipeline.s3.rows()]
    assert hashes[0] == hashes[2] == text_hash(first)
    assert pipeline.dynamodb.items[f"text#{hashes[1]}", "text"]["content"] == {"S": "vandalism"}


def test_text_of_another_company_is_not_analysed_again(pipeline: Pipeline) -> None:
    pipeline.source.found |= dict.fromkeys("ab", Text("shared", "en", "1"))
    _succeed(pipeline, RUN)
    assert failed(pipeline.deliver(records("b"))) == []
    assert pipeline.comprehend.sent() == [["shared"]]
    assert pipeline.published() == BOTH
