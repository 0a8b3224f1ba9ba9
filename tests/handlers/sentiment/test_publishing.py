"""Publishing exactly once, though messages are delivered at least once."""

from __future__ import annotations

from collections import Counter

import pytest

from handlers.sentiment.texts import NoText, SourceError
from tests.handlers.aws_fakes import client_error
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import LIMIT, NEWER_RUN, RUN, Pipeline, body, failed, ids, record, records

BOTH = [(RUN, "a"), (RUN, "b")]


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
