"""Looks that find nothing new, and summaries that count each look once."""

from __future__ import annotations

from collections import Counter

import pytest

from handlers.sentiment.texts import NoText, SourceError
from schema.companies import BATCHES_PREFIX
from tests.handlers.aws_fakes import client_error
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN, Pipeline, failed, ids, records

BOTH = [(RUN, "a"), (RUN, "b")]

REFUSED = SourceError("status 503")


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


def test_redelivery_of_an_unchanged_company_is_no_second_look(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"))
    for _ in range(3):
        assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == []
        pipeline.pass_claims()
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 1
    assert pipeline.source.asked == ["a", "a"]


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


def test_look_that_was_written_though_the_answer_was_lost(pipeline: Pipeline) -> None:
    pipeline.deliver(records("a"))
    pipeline.dynamodb.afterwards["UpdateItem"] = _lose_the_answer
    assert failed(pipeline.deliver(records("a", run=NEWER_RUN))) == []
    assert pipeline.counted(NEWER_RUN)["looked_at"] == 1


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
