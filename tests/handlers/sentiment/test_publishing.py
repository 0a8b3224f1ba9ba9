"""Publishing exactly once, though messages are delivered at least once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from handlers.sentiment.records import read_observation, text_hash
from handlers.sentiment.results import to_csv
from handlers.sentiment.texts import NoText, SourceError, Text
from schema.companies import BATCHES_PREFIX, RESULTS_PREFIX
from schema.dynamodb import decode, encode
from tests.handlers.aws_fakes import client_error
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import LIMIT, NEWER_RUN, RUN, Pipeline, body, failed, record, records

BOTH = [(RUN, "a"), (RUN, "b")]
REFUSED = SourceError("status 503")


def ids(*companies: str, run: str = RUN) -> list[str]:
    return [f"{company}@{run}" for company in companies]


def test_full_batch_is_one_analysis_one_write_a_summary_and_one_object(pipeline: Pipeline) -> None:
    companies = [f"company {number:02}" for number in range(25)]
    batch = pipeline.deliver(records(*companies))
    assert failed(batch) == []
    assert pipeline.published() == [(RUN, company) for company in companies]
    # The companies are read, then the analyses of their texts.
    assert [name for name, _ in pipeline.dynamodb.calls] == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    assert [name for name, _ in pipeline.s3.calls] == ["PutObject", "PutObject"]
    assert pipeline.comprehend.count("BatchDetectSentiment") == 1
    [(_, summary), (_, rows)] = pipeline.s3.calls
    assert summary["ContentType"] == rows["ContentType"] == "text/csv; charset=utf-8"
    assert pipeline.dynamodb.items[companies[0], RUN]["object"] == {"S": rows["Key"]}
    assert summary["Key"].removeprefix("sentiment-batches/") == rows["Key"].removeprefix("sentiment/")


def test_batch_of_unchanged_companies_is_one_read_an_update_each_and_a_summary(pipeline: Pipeline) -> None:
    companies = [f"company {number:02}" for number in range(25)]
    pipeline.deliver(records(*companies))
    for fake in (pipeline.dynamodb, pipeline.s3, pipeline.comprehend):
        fake.calls.clear()
    table = pipeline.table()
    assert failed(pipeline.deliver(records(*companies, run=NEWER_RUN), table=table)) == []
    assert [name for name, _ in pipeline.dynamodb.calls] == ["BatchGetItem", *["UpdateItem"] * 25]
    assert table.charged_units() == 25
    [(_, put)] = pipeline.s3.calls
    assert put["Key"].startswith("sentiment-batches/")
    assert pipeline.comprehend.calls == []
    assert pipeline.published() == [(RUN, company) for company in companies]
    assert {pipeline.latest(company) for company in companies} == {NEWER_RUN}


def test_summaries_count_each_look_once(pipeline: Pipeline) -> None:
    pipeline.source.found |= {"b": NoText("NOT_FOUND"), "c": NoText("AMBIGUOUS", ("C (1)", "C (2)")), "d": REFUSED}
    pipeline.deliver(records(*"abcd"))
    pipeline.deliver(records(*"abc", run=NEWER_RUN))
    assert pipeline.counted(RUN) == Counter(
        looked_at=3,
        changed=3,
        unchanged=0,
        not_found=1,
        ambiguous=1,
        failed=1,
        overtaken=0,
        calls_made=1,
        calls_saved=0,
    )
    assert pipeline.counted(NEWER_RUN) == Counter(
        looked_at=3,
        changed=0,
        unchanged=3,
        not_found=1,
        ambiguous=1,
        failed=0,
        overtaken=0,
        calls_made=0,
        calls_saved=1,
    )
    pipeline.deliver([*records(*"abc"), *records(*"abc", run=NEWER_RUN)])
    pipeline.source.found.pop("d")
    pipeline.deliver(records(*"abcd"))
    assert pipeline.counted(RUN)["looked_at"] == 4
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 3


def test_batch_of_repeated_messages_has_no_summary(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"))
    pipeline.deliver(records("a"))
    assert len(pipeline.s3.keys(BATCHES_PREFIX)) == 1


def test_batch_without_messages_asks_nobody(pipeline: Pipeline) -> None:
    assert failed(pipeline.deliver([])) == []
    assert failed(pipeline.deliver([record("{}", "bad")])) == ["bad"]
    assert pipeline.dynamodb.calls == pipeline.s3.calls == []


def test_redelivery_after_success_publishes_nothing_again(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a", "b"))
    assert failed(pipeline.deliver(records("a", "b"))) == []
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH
    assert pipeline.source.asked == ["a", "b"]
    assert pipeline.s3.count("ListObjectsV2") == 4, "one question per object, not one per company"


def test_redelivery_of_an_unchanged_company_is_no_second_look(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"))
    for _ in range(3):
        assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == []
        pipeline.pass_claims()
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 1
    assert pipeline.source.asked == ["a", "a"]


def test_message_that_comes_back_in_another_batch(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a", "b"))
    assert failed(pipeline.deliver(records("b", "c"))) == []
    assert pipeline.published() == [*BOTH, (RUN, "c")]


def test_crash_between_claim_and_object(pipeline: Pipeline) -> None:
    # Ctrl-C is what no handler catches, as when Lambda ends the process.
    pipeline.dynamodb.afterwards["TransactWriteItems"] = _crash
    with pytest.raises(KeyboardInterrupt):
        pipeline.deliver(records("a", "b"))
    early = pipeline.deliver(records("a", "b"))
    assert failed(early) == ids("a", "b"), "the writer may still be at work"
    assert all(LIMIT <= delay <= LIMIT + 16 for delay in pipeline.delays(early).values())
    assert pipeline.published() == []
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH
    assert pipeline.source.asked == ["a", "b"], "what was claimed is published as it was observed"


def _crash() -> None:
    raise KeyboardInterrupt


def test_crash_between_the_look_and_the_summary(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"))
    pipeline.dynamodb.afterwards["UpdateItem"] = _crash
    with pytest.raises(KeyboardInterrupt):
        pipeline.deliver(records("a", run=NEWER_RUN))
    assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == ids("a", run=NEWER_RUN)
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 0
    pipeline.pass_claims()
    for _ in range(2):
        assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == []
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 1
    assert pipeline.published() == [(RUN, "a")]


def test_crash_between_the_summary_and_the_rows(pipeline: Pipeline) -> None:
    pipeline.s3.afterwards["PutObject"] = _crash
    with pytest.raises(KeyboardInterrupt):
        pipeline.deliver(records("a", "b"))
    assert pipeline.published() == []
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH
    assert pipeline.counted(RUN)["looked_at"] == 2


def test_summary_that_is_refused_is_made_up_for(pipeline: Pipeline) -> None:
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown"), None]
    assert failed(pipeline.deliver(records("a", "b"))) == ids("a", "b")
    assert pipeline.published() == BOTH, "rows do not wait for the summary"
    assert pipeline.counted(RUN)["looked_at"] == 0
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH
    assert pipeline.counted(RUN)["looked_at"] == 2


def test_crash_after_the_object(pipeline: Pipeline) -> None:
    # The first object is the summary, the second has the rows.
    pipeline.s3.afterwards["PutObject"] = lambda: pipeline.s3.afterwards.update(PutObject=_crash)
    with pytest.raises(KeyboardInterrupt):
        pipeline.deliver(records("a", "b"))
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH
    assert pipeline.counted(RUN)["looked_at"] == 2


def test_failing_bucket(pipeline: Pipeline) -> None:
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown")] * 2
    batch = pipeline.deliver(records("a", "b"))
    assert failed(batch) == ids("a", "b")
    assert min(pipeline.delays(batch).values()) >= LIMIT - 1, "back when the claim has ended, not before"
    assert failed(pipeline.deliver(records("a"))) == ids("a")
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a", "b", "c"))) == []
    assert pipeline.published() == [*BOTH, (RUN, "c")]
    assert pipeline.comprehend.sent() == [["a is good", "b is good"], ["c is good"]]


def test_object_that_was_written_though_the_answer_was_lost(pipeline: Pipeline) -> None:
    pipeline.s3.lose_answers = True
    assert failed(pipeline.deliver(records("a"))) == ids("a")
    pipeline.s3.lose_answers = False
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(RUN, "a")]


def test_bucket_that_fails_twice(pipeline: Pipeline) -> None:
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown")] * 4
    for _ in range(2):
        assert failed(pipeline.deliver(records("a"))) == ids("a")
        pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(RUN, "a")]


def test_bucket_that_cannot_be_listed_is_not_taken_for_an_unpublished_row(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"))
    pipeline.pass_claims()
    pipeline.s3.failures["ListObjectsV2"] = [client_error("AccessDenied")]
    assert failed(pipeline.deliver(records("a", "b"))) == ids("a")
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == BOTH


def test_table_that_cannot_be_read(pipeline: Pipeline, log_lines: LogLines) -> None:
    pipeline.dynamodb.failures["BatchGetItem"] = [client_error("ProvisionedThroughputExceededException")]
    batch = pipeline.deliver([*records("a", "b"), *records("a", run=NEWER_RUN)])
    assert failed(batch) == [*ids("a", "b"), *ids("a", run=NEWER_RUN)]
    assert {line["reason"][:26] for line in log_lines()} == {"observations not readable:"}
    assert pipeline.source.asked == []
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH


@pytest.mark.parametrize("error", [client_error("AccessDeniedException"), TimeoutError("no answer")])
def test_table_that_cannot_be_written(pipeline: Pipeline, error: Exception) -> None:
    pipeline.dynamodb.failures["TransactWriteItems"] = [error]
    assert failed(pipeline.deliver(records("a", "b"))) == ids("a", "b")
    assert pipeline.published() == []
    assert pipeline.counted(RUN) == Counter(failed=2, calls_made=2)
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH


def test_claim_that_was_written_though_the_answer_was_lost(pipeline: Pipeline) -> None:
    """Whoever has no answer looks, and finds the claim."""
    pipeline.dynamodb.afterwards["TransactWriteItems"] = _lose_the_answer
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(RUN, "a")]
    assert pipeline.counted(RUN)["looked_at"] == 1


def test_look_that_was_written_though_the_answer_was_lost(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"))
    pipeline.dynamodb.afterwards["UpdateItem"] = _lose_the_answer
    assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == []
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 1


def test_claim_whose_answer_was_lost_and_that_cannot_be_looked_for(pipeline: Pipeline) -> None:
    # The companies, their texts, and then what became of the claim.
    pipeline.dynamodb.failures["BatchGetItem"] = [None, None, client_error("InternalServerError")]
    pipeline.dynamodb.afterwards["TransactWriteItems"] = _lose_the_answer
    assert failed(pipeline.deliver(records("a"))) == ids("a")
    pipeline.pass_claims()
    assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(RUN, "a")]


def _lose_the_answer() -> None:
    raise TimeoutError("the answer was lost")


def test_look_that_cannot_be_written_fails_alone(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a", "b"))
    pipeline.dynamodb.failures["UpdateItem"] = [client_error("ThrottlingException")]
    [back] = failed(pipeline.deliver(records("a", "b", run=NEWER_RUN)))
    assert back in ids("a", "b", run=NEWER_RUN)
    assert failed(pipeline.deliver(records("a", "b", run=NEWER_RUN))) == []
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 2
    assert pipeline.counted(NEWER_RUN)["failed"] == 1


def test_conflicting_transactions(pipeline: Pipeline) -> None:
    pipeline.dynamodb.cancellations = [{1: "TransactionConflict"}, {0: "TransactionConflict"}]
    assert failed(pipeline.deliver(records("a", "b"))) == []
    assert pipeline.published() == BOTH
    pipeline.dynamodb.cancellations = [{0: "TransactionConflict"}] * 99
    assert failed(pipeline.deliver(records("c"))) == ids("c")
    assert pipeline.published() == BOTH


def test_two_invocations_with_the_same_messages_at_once(pipeline: Pipeline) -> None:
    inner: list[str] = []
    # Both have read the table before either writes.
    pipeline.dynamodb.afterwards["BatchGetItem"] = lambda: inner.extend(failed(pipeline.deliver(records("b", "c"))))
    outer = pipeline.deliver(records("a", "b"))
    assert inner == []
    assert failed(outer) == ids("b")
    assert pipeline.published() == [*BOTH, (RUN, "c")]
    assert failed(pipeline.deliver(records("b"))) == []
    assert pipeline.published() == [*BOTH, (RUN, "c")]


def test_second_invocation_while_the_first_is_between_claim_and_object(pipeline: Pipeline) -> None:
    inner: list[str] = []
    pipeline.dynamodb.afterwards["TransactWriteItems"] = lambda: inner.extend(failed(pipeline.deliver(records("a"))))
    assert failed(pipeline.deliver(records("a"))) == []
    assert inner == ids("a"), "it must not delete the message of a row that is not published yet"
    assert pipeline.published() == [(RUN, "a")]


def test_two_invocations_that_take_over_the_same_claim(pipeline: Pipeline) -> None:
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown")] * 2
    pipeline.deliver(records("a"))
    pipeline.pass_claims()
    inner: list[str] = []
    pipeline.s3.afterwards["ListObjectsV2"] = lambda: inner.extend(failed(pipeline.deliver(records("a"))))
    assert failed(pipeline.deliver(records("a"))) == ids("a")
    assert inner == []
    assert pipeline.published() == [(RUN, "a")]


def test_writer_that_finishes_between_the_look_into_the_bucket_and_at_the_clock(pipeline: Pipeline) -> None:
    def first_writer_finishes_at_the_last_moment() -> None:
        pipeline.s3.objects |= written
        pipeline.clock.time += 2

    pipeline.deliver(records("a"))
    written = dict(pipeline.s3.objects)
    pipeline.s3.objects.clear()  # the first writer has not come so far
    pipeline.clock.time += LIMIT - 0.5
    pipeline.s3.afterwards["ListObjectsV2"] = first_writer_finishes_at_the_last_moment
    pipeline.deliver(records("a"))
    assert pipeline.published() == [(RUN, "a")]
    assert pipeline.counted(RUN)["looked_at"] == 1


def test_claim_lasts_as_long_as_its_writer_may_be_at_work(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"), seconds=12)
    until = int(pipeline.dynamodb.items["a", RUN]["claimed_until"]["N"])
    assert 12 < until - pipeline.clock.time <= 18


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


def test_equal_messages_in_a_batch_are_one_row(pipeline: Pipeline) -> None:
    assert failed(pipeline.deliver([record(body("a"), "one"), record(body("a"), "two")])) == []
    assert pipeline.published() == [(RUN, "a")]


def test_messages_of_one_company_with_other_pages_are_one_row(pipeline: Pipeline) -> None:
    messages = [record(body("a"), "one"), record(body("a", page="A page"), "two")]
    pipeline.s3.failures["PutObject"] = [client_error("SlowDown")] * 2
    assert failed(pipeline.deliver(messages)), "one of them has to come back"
    pipeline.pass_claims()
    assert failed(pipeline.deliver(messages)) == []
    assert pipeline.published() == [(RUN, "a")]


def test_what_fails_does_not_hold_up_the_others(pipeline: Pipeline, log_lines: LogLines) -> None:
    pipeline.source.found |= {
        "busy": SourceError("status 429", 120),
        "unknown": NoText("NOT_FOUND"),
        "many": NoText("AMBIGUOUS"),
    }
    pipeline.comprehend.item_errors["odd is good"] = ["INTERNAL_SERVER_ERROR"] * 9
    pipeline.comprehend.item_errors["long is good"] = ["TEXT_SIZE_LIMIT_EXCEEDED"]
    messages = [record("{}", "bad"), *records("busy", "unknown", "many", "odd", "long", "fine")]
    batch = pipeline.deliver(messages)
    assert failed(batch) == ["bad", *ids("busy", "odd")]
    assert {row["company"]: row["label"] for row in pipeline.s3.rows()} == {
        "unknown": "NOT_FOUND",
        "many": "AMBIGUOUS",
        "long": "UNSUPPORTED",
        "fine": "POSITIVE",
    }
    delays = pipeline.delays(batch)
    assert 120 <= delays[f"busy@{RUN}"] <= 130
    assert delays[f"odd@{RUN}"] <= 10
    assert {line["message_id"] for line in log_lines() if line["level"] == "ERROR"} == set(failed(batch))


def legacy_item(record: str, run: str = RUN, **more: Any) -> dict[str, Any]:
    """An item of company `a` as commit 6a5cfe6 wrote it."""
    item = {
        "company": "a",
        "record": record,
        "run": run,
        "observed_at": "2026-11-21T06:52:00Z",
        "label": "POSITIVE",
        "positive": 0.91,
        "negative": 0.02,
        "neutral": 0.05,
        "mixed": 0.02,
        "language": "en",
        "revision": "revision of a",
        "unchanged": True,
        "snippet": "a is good",
        "object": "sentiment/dt=2026-11-21/old.csv",
    }
    return encode(item | more)


def test_company_of_a_version_without_stored_texts_is_looked_at_once_more(pipeline: Pipeline) -> None:
    """Its text was not stored, so it is fetched and analysed, though its revision is known."""
    pipeline.dynamodb.items["a", "latest"] = legacy_item("latest")
    _succeed(pipeline, NEWER_RUN)
    assert pipeline.comprehend.sent() == [["a is good"]]
    assert pipeline.published() == [(NEWER_RUN, "a")]
    latest = pipeline.dynamodb.items["a", "latest"]
    assert latest["text_hash"] == {"S": text_hash(Text("a is good", "en", ""))}
    assert "object" not in latest
    newest = "20261121T070200Z-00000002"
    _succeed(pipeline, newest)
    assert pipeline.published() == [(NEWER_RUN, "a")]
    assert pipeline.latest("a") == newest


def test_company_without_a_text_of_an_earlier_version_stays_unchanged(pipeline: Pipeline) -> None:
    pipeline.source.found["a"] = NoText("NOT_FOUND")
    item = legacy_item("latest", label="NOT_FOUND", language="", revision="", snippet="")
    pipeline.dynamodb.items["a", "latest"] = {name: value for name, value in item.items() if "N" not in value}
    _succeed(pipeline, NEWER_RUN)
    assert pipeline.published() == []
    assert pipeline.latest("a") == NEWER_RUN
    assert pipeline.dynamodb.items["a", "latest"]["looked_at"]


@pytest.mark.parametrize("is_published", [True, False])
def test_claim_of_an_earlier_version_is_published_once(pipeline: Pipeline, is_published: bool) -> None:
    """The function is replaced while messages are under way."""
    until = int(pipeline.clock.time) + 10
    pipeline.dynamodb.items["a", "latest"] = legacy_item("latest")
    pipeline.dynamodb.items["a", RUN] = legacy_item(RUN, claimed_until=until)
    if is_published:
        pipeline.s3.objects["sentiment/dt=2026-11-21/old.csv"] = to_csv([read_observation(decode(legacy_item(RUN)))])
    else:
        assert failed(pipeline.deliver(records("a"))) == ids("a")
    pipeline.pass_claims()
    for _ in range(2):
        assert failed(pipeline.deliver(records("a"))) == []
    assert pipeline.published() == [(RUN, "a")]
    assert pipeline.source.asked == []
