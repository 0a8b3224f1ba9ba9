"""Batches of messages: what is understood, what comes back and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.sentiment import batch as module
from handlers.sentiment.batch import Batch, Failure
from handlers.sentiment.messages import CompanyMessage
from handlers.sentiment.records import Observation
from schema import retry
from tests.handlers.aws_fakes import QUEUE, FakeSqs, client_error
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import NEWER_RUN, RUN, body, failed, record, records

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5
)
BODIES = (
    st.text()
    | st.binary().map(lambda some: some.decode("latin-1"))
    | st.dictionaries(st.sampled_from(["run", "company", "page", "x"]), VALUES).map(json.dumps)
    | st.builds(lambda page: json.dumps({"run": RUN, "company": "a", "page": page}), VALUES)
)


@pytest.fixture
def longest_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry._random, "uniform", lambda _, longest: longest)


@pytest.fixture
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry._random, "uniform", lambda *_: 0.0)


def metrics(capsys: pytest.CaptureFixture[str], batch: Batch) -> dict[str, Any]:
    batch.report(comprehend_calls=3, write_units=2.5)
    return json.loads(capsys.readouterr().out)


@given(st.lists(BODIES, max_size=25))
@settings(max_examples=60)
def test_no_body_crashes_the_batch_and_each_is_answered(log_lines: LogLines, bodies: list[str]) -> None:
    already = len(log_lines())
    messages = [record(text, f"m{number}") for number, text in enumerate([*bodies, body("good one")])]
    batch = Batch(messages)
    understood = {message.company for message in batch.messages}
    assert "good one" in understood
    reasons = {line["message_id"]: line["reason"] for line in log_lines()[already:]}
    assert failed(batch) == list(reasons)
    assert f"m{len(bodies)}" not in reasons
    assert all(reason.startswith("message not understood: ") and len(reason) > 24 for reason in reasons.values())
    assert len(understood) <= len(messages) - len(reasons)


@pytest.mark.parametrize("text", ["", "no JSON", "null", "{}", body("a" * 201), body("a", "today"), body("a", page="")])
def test_message_that_is_not_understood_comes_back(text: str) -> None:
    batch = Batch([record(text, "bad"), record(body("a"), "good")])
    assert failed(batch) == ["bad"]
    assert batch.messages == [CompanyMessage(RUN, "a")]


def test_half_a_surrogate_pair_does_not_crash_the_batch() -> None:
    assert failed(Batch([record('{"run": "\ud800"}', "bad"), record(body("a"), "good")])) == ["bad"]


def test_equal_messages_are_handled_once_and_fail_together() -> None:
    batch = Batch([record(body("a"), "one"), record(body("a"), "two"), record(body("b"), "three")])
    assert batch.messages == [CompanyMessage(RUN, "a"), CompanyMessage(RUN, "b")]
    batch.fail(batch.messages[0], Failure("why"))
    assert failed(batch) == ["one", "two"]


def test_nothing_failed_is_an_empty_answer() -> None:
    assert Batch(records("a")).answer() == {"batchItemFailures": []}
    assert Batch([]).answer() == {"batchItemFailures": []}


def test_failure_is_logged_with_all_that_is_needed_to_find_it(log_lines: LogLines) -> None:
    batch = Batch([record(body("Café"), "m7", receive_count=3)])
    batch.fail(batch.messages[0], Failure("out of order"))
    [line] = log_lines()
    assert line["level"] == "ERROR"
    assert (line["run"], line["company"], line["reason"]) == (RUN, "Café", "out of order")
    assert (line["message_id"], line["receive_count"]) == ("m7", 3)


def test_metrics_count_what_became_of_companies(capsys: pytest.CaptureFixture[str]) -> None:
    batch = Batch([*records(*"abcdefg"), *records("a", run=NEWER_RUN), record("{}", "bad")])
    batch.succeed(Observation(RUN, "", "a", "POSITIVE"))
    batch.succeed(Observation(RUN, "", "b", "NEUTRAL", unchanged=True))
    batch.succeed(Observation(RUN, "", "c", "NOT_FOUND"))
    batch.succeed(Observation(RUN, "", "d", "AMBIGUOUS"))
    batch.succeed(Observation(RUN, "", "e", "UNSUPPORTED"))
    batch.skip(CompanyMessage(RUN, "f"))
    batch.fail(CompanyMessage(RUN, "g"), Failure("why"))
    batch.overtake(CompanyMessage(RUN, "h"))
    line = metrics(capsys, batch)
    names = ["Companies", "Analysed", "Unchanged", "NotFound", "Ambiguous", "Unsupported", "Repeated", "Overtaken"]
    assert [line[name] for name in names] == [8, 1, 1, 1, 1, 1, 1, 1]
    assert line["Failed"] == 2
    assert line["ComprehendCalls"] == 3
    assert line["write_units"] == "2.5"
    assert line["runs"] == f"{RUN},{NEWER_RUN}"
    assert line["Service"] == "analyse"


def test_batch_without_anything_understood_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    line = metrics(capsys, Batch([record("{}")]))
    assert (line["Companies"], line["Failed"], line["Analysed"]) == (0, 1, 0)


def delay(receive_count: int, failure: Failure, base_seconds: int = 10) -> int:
    """Seconds after which a message that failed comes back."""
    batch, sqs = Batch([record(body("a"), "m", receive_count)]), FakeSqs()
    batch.fail(batch.messages[0], failure)
    batch.delay_failures(sqs.change_message_visibility_batch, QUEUE, base_seconds)
    return sqs.delays["receipt-m"]


@pytest.mark.usefixtures("longest_jitter")
def test_delays_grow_with_the_receive_count_up_to_the_limit() -> None:
    assert [delay(count, Failure("")) for count in (1, 2, 3, 4, 7, 8, 1000)] == [10, 20, 40, 80, 640, 900, 900]


@pytest.mark.usefixtures("longest_jitter")
def test_source_that_asks_for_time_is_given_it_up_to_the_limit() -> None:
    assert delay(1, Failure("", retry_after=100)) == 110
    assert delay(1, Failure("", retry_after=899)) == 900
    assert delay(1, Failure("", retry_after=1e9)) == 900


@given(st.integers(1, 1000), st.floats(0, 1e9), st.integers(0, 900))
@settings(max_examples=50)
def test_delays_are_whole_seconds_that_sqs_takes(receive_count: int, retry_after: float, base_seconds: int) -> None:
    seconds = delay(receive_count, Failure("", retry_after), base_seconds)
    assert isinstance(seconds, int)
    assert min(900, int(retry_after)) <= seconds <= 900


def test_delays_differ_so_that_messages_do_not_return_all_at_once() -> None:
    assert len({delay(3, Failure("")) for _ in range(50)}) > 5


@pytest.mark.usefixtures("no_jitter")
def test_message_does_not_come_back_before_what_it_waits_for() -> None:
    assert delay(1, Failure("another invocation is publishing it", retry_after=10.4)) >= 10.4


def test_endless_retry_after_is_the_limit() -> None:
    assert delay(1, Failure("", retry_after=float("9" * 400))) == 900


def test_ten_delays_are_one_request_and_every_failed_message_is_delayed() -> None:
    batch, sqs = Batch([*records(*(f"c{number}" for number in range(24))), record("{}", "bad")]), FakeSqs()
    for message in batch.messages:
        batch.fail(message, Failure("why"))
    batch.delay_failures(sqs.change_message_visibility_batch, QUEUE, 10)
    assert len(sqs.delays) == 25
    assert sqs.count("ChangeMessageVisibilityBatch") == 3


def test_only_failed_messages_are_delayed() -> None:
    batch, sqs = Batch(records("a", "b")), FakeSqs()
    batch.delay_failures(sqs.change_message_visibility_batch, QUEUE, 10)
    assert sqs.calls == []
    batch.fail(batch.messages[1], Failure("why"))
    batch.delay_failures(sqs.change_message_visibility_batch, QUEUE, 10)
    assert list(sqs.delays) == [f"receipt-b@{RUN}"]


def test_refused_delay_is_logged_and_the_answer_stays(log_lines: LogLines) -> None:
    batch, sqs = Batch(records(*(f"c{number}" for number in range(12)))), FakeSqs()
    for message in batch.messages:
        batch.fail(message, Failure("why"))
    sqs.failures["ChangeMessageVisibilityBatch"] = [client_error("AccessDenied")]
    batch.delay_failures(sqs.change_message_visibility_batch, QUEUE, 10)
    assert len(failed(batch)) == 12
    assert len(sqs.delays) == 2, "the second request is made though the first was refused"
    assert "AccessDenied" in log_lines()[-1]["reason"]
    assert log_lines()[-1]["level"] == "WARNING"


def test_single_refused_delay_is_logged(log_lines: LogLines) -> None:
    batch, sqs = Batch(records("a", "b")), FakeSqs()
    for message in batch.messages:
        batch.fail(message, Failure("why"))
    sqs.refused = [{"1"}]
    batch.delay_failures(sqs.change_message_visibility_batch, QUEUE, 10)
    assert any(line["message"] == "message not delayed" for line in log_lines())


def test_limit_of_delays_is_a_quarter_of_an_hour() -> None:
    assert module.MAX_DELAY_SECONDS == 900


def test_a_message_nested_too_deeply_comes_back() -> None:
    batch = Batch([record('{"x":' * 100_000, "deep")])
    assert [failure["itemIdentifier"] for failure in batch.answer()["batchItemFailures"]] == ["deep"]


@pytest.mark.parametrize("run", ["99991231T235959Z-1a2b3c4d", "20261399T065200Z-1a2b3c4d", "20261121T006161Z-1a2b3c4d"])
def test_a_run_that_cannot_be_comes_back(log_lines: LogLines, run: str) -> None:
    """A run of the future would be newer than all that follow, and no run would look at the company again."""
    assert failed(Batch([record(body("a", run), "bad"), record(body("a"), "good")])) == ["bad"]
    assert "$.run" in log_lines()[0]["reason"]


@pytest.mark.parametrize(("ahead", "refused"), [(0, []), (299, []), (301, ["m"])])
def test_clocks_may_differ_by_five_minutes(ahead: int, refused: list[str]) -> None:
    started = datetime(2026, 11, 21, 6, 52, tzinfo=UTC).timestamp()
    assert failed(Batch([record(body("a"), "m")], lambda: started - ahead)) == refused


# Messages that only wait


def test_message_that_only_waits_is_sent_again_and_the_old_one_deleted(log_lines: LogLines) -> None:
    sqs, batch = FakeSqs(), Batch([*records("a", "b"), record(body("b"), "again", receive_count=5)])
    b = batch.messages[1]
    batch.fail(b, Failure("limit reached", 61.2, counts=False))
    batch.postpone(sqs.send_message_batch, QUEUE)
    assert failed(batch) == []
    [(_, request)] = sqs.calls
    assert request["Entries"] == [{"Id": "0", "MessageBody": body("b"), "DelaySeconds": 62}]
    [line] = log_lines()
    assert (line["level"], line["company"], line["reason"]) == ("INFO", "b", "limit reached")


def test_longest_delay_of_a_queue_is_kept() -> None:
    sqs, batch = FakeSqs(), Batch(records("a"))
    batch.fail(batch.messages[0], Failure("paused", 86_400, counts=False))
    batch.postpone(sqs.send_message_batch, QUEUE)
    assert sqs.calls[0][1]["Entries"][0]["DelaySeconds"] == 900


def test_many_messages_that_wait_are_sent_in_batches() -> None:
    names = [str(number) for number in range(50)]
    sqs, batch = FakeSqs(), Batch(records(*names))
    for message in batch.messages:
        batch.fail(message, Failure("paused", 5, counts=False))
    batch.postpone(sqs.send_message_batch, QUEUE)
    assert [len(request["Entries"]) for _, request in sqs.calls] == [10] * 5
    assert sqs.bodies == [body(name) for name in names]
    assert failed(batch) == []


def test_message_that_cannot_be_sent_again_fails_instead(capsys: pytest.CaptureFixture[str]) -> None:
    sqs, batch = FakeSqs(), Batch(records("a", "b"))
    for message in batch.messages:
        batch.fail(message, Failure("paused", 5, counts=False))
    sqs.refused = [{"1"}]
    batch.postpone(sqs.send_message_batch, QUEUE)
    assert failed(batch) == [f"b@{RUN}"]
    counts = metrics(capsys, batch)
    assert (counts["Failed"], counts["Postponed"]) == (1, 1)


def test_messages_all_fail_where_the_queue_cannot_be_reached() -> None:
    sqs, batch = FakeSqs(), Batch(records("a", "b"))
    for message in batch.messages:
        batch.fail(message, Failure("paused", 5, counts=False))
    sqs.failures["SendMessageBatch"] = [client_error("AccessDenied")]
    batch.postpone(sqs.send_message_batch, QUEUE)
    assert failed(batch) == [f"a@{RUN}", f"b@{RUN}"]
