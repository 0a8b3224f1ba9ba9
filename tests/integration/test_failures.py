"""What goes wrong around the pipeline: nothing is lost, shown twice, or held up by another company's failure."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.harness import Pipeline, new_run, wait_until

WELL = "All is well. Customers love this wonderful company."


def write_texts(pipeline: Pipeline, *names: str) -> list[str]:
    """Give companies a text and put them on the watch-list."""
    for name in names:
        # A text of its own, as equal texts are analysed once; a name in it could have a sentiment.
        pipeline.control.set_text(name, f"{WELL} Its number is {name.encode().hex()}.")
    pipeline.add(names)
    return list(names)


def assert_each_once(pipeline: Pipeline, run: str, names: list[str], seconds: float = 30) -> None:
    """Each company, never seen before, has one row and one history item, is counted once and waits for nothing."""
    rows = pipeline.rows_of(run, len(names), seconds)
    pipeline.idle()
    assert Counter(row["company"] for row in rows) == Counter(names)
    counted = pipeline.counted(run)
    assert (counted["looked_at"], counted["changed"]) == (len(names), len(names))
    for name in names:
        assert [observation["run"] for observation in pipeline.history(name) if observation["run"] == run] == [run]


# Messages


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not JSON {", "message not understood: JSON is malformed"),
        ('{"run": "yesterday", "company": "A"}', "$.run"),
        ('{"run": "99991231T235959Z-0123abcd", "company": "A"}', "expected a run that has started"),
        ('{"run": "20260101T000000Z-0123abcd"}', "missing required field `company`"),
        ("[]", "Expected `object`, got `array`"),
    ],
)
def test_a_bad_message_becomes_a_dead_letter_and_holds_up_nobody(pipeline: Pipeline, body: str, reason: str) -> None:
    names = write_texts(pipeline, f"Beside {reason[:20]}")
    run = new_run()

    pipeline.send(body)
    pipeline.send_work(run, *names)

    pipeline.follow(run, names, seconds=10)
    wait_until(lambda: body in pipeline.dead_letters(), 30, "the dead letter")
    assert any(reason in line.get("reason", "") for line in pipeline.logs("analyse"))
    assert_each_once(pipeline, run, names)


def test_the_same_message_twice_is_one_observation(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Twice in a batch", "Twice in a row")
    run = new_run()

    pipeline.send_work(run, *names, *names)
    pipeline.follow(run, names)
    pipeline.idle()
    calls = pipeline.comprehend_calls()
    pipeline.send_work(run, *names)
    pipeline.idle()

    assert_each_once(pipeline, run, names)
    assert pipeline.comprehend_calls() == calls


def test_overlapping_runs_do_not_disturb_each_other(pipeline: Pipeline) -> None:
    names = [f"Company {number}" for number in range(30_000, 30_060)]
    pipeline.control.generate_texts()
    pipeline.control.set_text_latency(0.2)
    pipeline.add(names)
    older, newer = new_run(), new_run()

    pipeline.start(newer)
    pipeline.start(older)
    pipeline.follow(newer, names)
    pipeline.idle()

    # The text is the same for both, so the run that looks first publishes it. The older one may be overtaken.
    rows = [row["company"] for run in (older, newer) for row in pipeline.rows(run)]
    assert Counter(rows) == Counter(names)
    assert {pipeline.latest(name)["run"] for name in names} == {newer}
    assert pipeline.counted(newer)["looked_at"] == len(names)
    assert pipeline.counted(older)["looked_at"] + pipeline.counted(older)["overtaken"] == len(names)


# The text source


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500, "times": 4}, id="500"),
        pytest.param({"delay": 20, "times": 2}, id="hangs"),
        pytest.param({"code": "internal_api_error_DBQueryError", "times": 4}, id="error"),
        pytest.param({"body": "<html>broken</html>", "times": 4}, id="not JSON"),
    ],
)
def test_a_text_that_fails_for_a_while_comes_later(
    pipeline: Pipeline, fault: dict[str, object], request: pytest.FixtureRequest
) -> None:
    late = f"Late for {request.node.callspec.id}"
    names = write_texts(pipeline, late, f"Beside {late}")
    pipeline.control.set_text_fault(late, **fault)

    run = pipeline.start()["run"]

    pipeline.follow(run, names[1:], seconds=12)
    assert pipeline.follow(run, names, seconds=60)[late]["label"] == "POSITIVE"
    assert pipeline.reasons(late)[0].startswith("text source: ")
    assert_each_once(pipeline, run, names)


@pytest.mark.parametrize(
    "refusal", [{"status": 429}, {"status": 503}, {"code": "maxlag"}], ids=["429", "503", "maxlag"]
)
def test_a_limit_that_is_reached_brings_nobody_nearer_to_the_dead_letters(
    pipeline: Pipeline, refusal: dict[str, object], request: pytest.FixtureRequest
) -> None:
    names = write_texts(pipeline, *(f"Limited {number} {request.node.callspec.id}" for number in range(3)))
    # Four refusals, of which each is longer than an invocation waits; three failed attempts make a dead letter.
    pipeline.control.set_text_fault("*", **refusal, retry_after=5, times=4)

    run = pipeline.start()["run"]

    assert_each_once(pipeline, run, names, seconds=60)
    assert pipeline.waiting("dead_letter_queue_url") == 0
    lines = [line for line in pipeline.logs("analyse") if line.get("company") in names]
    assert {line["message"] for line in lines} == {"message postponed"}
    assert pipeline.control.text_requests() <= 4 + 2, "one refusal is enough for everybody"


def test_a_text_that_never_comes_is_a_dead_letter_and_can_be_redriven(pipeline: Pipeline) -> None:
    [never] = write_texts(pipeline, "Never")
    pipeline.control.set_text_fault(never, status=503)

    run = pipeline.start()["run"]

    wait_until(pipeline.dead_letters, 60, "the dead letter")
    assert json.loads(pipeline.dead_letters()[0]) == {"run": run, "company": never}
    assert pipeline.reasons(never) == ["text source: status 503"] * 3
    pipeline.control.clear()
    pipeline.control.set_text(never, WELL)
    redrive(pipeline)
    assert pipeline.follow(run, [never])[never]["label"] == "POSITIVE"
    assert_each_once(pipeline, run, [never])


def redrive(pipeline: Pipeline) -> None:
    sqs, dead = pipeline.client("sqs"), pipeline.outputs["dead_letter_queue_url"]
    for message in sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]:
        pipeline.send(message["Body"])
        sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])


def test_no_text_is_an_observation(pipeline: Pipeline) -> None:
    pipeline.add(["No such company", "Mercury"])

    run = pipeline.start()["run"]
    observations = pipeline.follow(run, ["No such company", "Mercury"])

    assert observations["No such company"]["label"] == "NOT_FOUND"
    assert observations["Mercury"]["label"] == "AMBIGUOUS"
    assert pipeline.comprehend_calls() == 0
    assert pipeline.reasons("No such company") == []


def test_a_long_text_is_cut_at_a_character(pipeline: Pipeline) -> None:
    pipeline.control.set_text("Long", "wunderschön 美好 " * 1000)  # over 20 KB
    pipeline.add(["Long"])

    run = pipeline.start()["run"]

    assert pipeline.follow(run, ["Long"])["Long"]["label"] in {"POSITIVE", "NEUTRAL"}


# Comprehend


def test_comprehend_throttling_is_waited_out(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Throttled")
    pipeline.control.add_fault("comprehend", status=400, code="ThrottlingException", times=6)

    run = pipeline.start()["run"]

    assert pipeline.follow(run, names)["Throttled"]["label"] == "POSITIVE"
    assert_each_once(pipeline, run, names)


def test_one_item_that_fails_for_a_while_is_tried_again(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Item A", "Item B")
    pipeline.control.set_text("Item B", f"Marked text. {WELL}")
    pipeline.control.add_fault("comprehend", item_error="INTERNAL_SERVER_ERROR", contains="Marked text", times=2)

    run = pipeline.start()["run"]
    observations = pipeline.follow(run, names)

    assert [observations[name]["label"] for name in names] == ["POSITIVE", "POSITIVE"]
    assert_each_once(pipeline, run, names)


def test_one_item_that_cannot_be_analysed_is_recorded(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Good item", "Bad item")
    pipeline.control.set_text("Bad item", f"Marked text, which is bad. {WELL}")
    pipeline.control.add_fault("comprehend", item_error="INVALID_REQUEST_EXCEPTION", contains="which is bad")

    run = pipeline.start()["run"]
    observations = pipeline.follow(run, names)

    assert observations["Good item"]["label"] == "POSITIVE"
    assert observations["Bad item"]["label"] == "UNSUPPORTED"
    assert "positive" not in observations["Bad item"]
    assert_each_once(pipeline, run, names)


def test_comprehend_failing_whole_delays_only_what_needs_it(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Needs Comprehend")
    pipeline.add(["Needs nothing"])
    pipeline.control.add_fault("comprehend", status=500, code="InternalServerException")

    run = pipeline.start()["run"]

    assert pipeline.follow(run, ["Needs nothing"], seconds=20)["Needs nothing"]["label"] == "NOT_FOUND"
    wait_until(lambda: pipeline.reasons("Needs Comprehend"), 20, "a failure in the log")
    pipeline.control.clear_faults()
    pipeline.follow(run, names, seconds=40)
    assert_each_once(pipeline, run, [*names, "Needs nothing"])


# Stores


def test_a_result_object_that_is_refused_is_written_later(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Refused A", "Refused B")
    # Three attempts each for the summary and the rows, and the first attempts when the message comes back.
    pipeline.control.add_fault("s3", operation="PutObject", status=503, code="SlowDown", times=8)

    run = pipeline.start()["run"]

    wait_until(lambda: pipeline.reasons("Refused A"), 20, "a failure in the log")
    assert pipeline.reasons("Refused A")[0].startswith("result object not writable")
    assert_each_once(pipeline, run, names)
    assert pipeline.comprehend_calls() == 1  # the analysis was kept


def test_a_result_object_whose_answer_is_lost_is_not_written_twice(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Answer lost")
    pipeline.control.add_fault("s3", operation="PutObject", drop="response", times=7)

    run = pipeline.start()["run"]

    wait_until(lambda: pipeline.reasons("Answer lost"), 30, "a failure in the log")
    assert_each_once(pipeline, run, names)


def test_a_refused_observation_is_written_later(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Table refuses")
    fault = {"status": 400, "code": "ProvisionedThroughputExceededException", "times": 4}
    pipeline.control.add_fault("dynamodb", operation="TransactWriteItems", **fault)

    run = pipeline.start()["run"]

    pipeline.follow(run, names, seconds=40)
    assert_each_once(pipeline, run, names)


def test_a_queue_that_refuses_for_a_while_gets_every_company(pipeline: Pipeline) -> None:
    names = [f"Company {number}" for number in range(40_000, 40_050)]
    pipeline.control.generate_texts()
    pipeline.add(names)
    pipeline.control.add_fault("sqs", operation="SendMessageBatch", status=503, code="ServiceUnavailable", times=3)

    run = pipeline.start()["run"]

    pipeline.follow(run, names)
    assert_each_once(pipeline, run, names)


# The function


def test_a_function_killed_in_the_middle_loses_nothing(pipeline: Pipeline) -> None:
    names = write_texts(pipeline, "Killed A", "Killed B")
    # Between the claim in the table and the result object, the most delicate moment.
    pipeline.control.add_fault("s3", operation="PutObject", delay=4, times=1)
    url = pipeline.outputs["work_queue_url"]
    before = pipeline.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    pipeline.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "8"})
    try:
        run = pipeline.start()["run"]
        wait_until(lambda: any(pipeline.history(name) for name in names), 10, "a claim")
        assert kill_functions(pipeline.outputs["analyse_function"]) > 0
        assert pipeline.rows(run) == []
        assert_each_once(pipeline, run, names)
    finally:
        pipeline.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=before["Attributes"])


def kill_functions(name: str) -> int:
    """Kill the processes that run a function; returns how many there were."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if f"ministack-lambda-{name}-" in command:
            os.kill(int(process.name), signal.SIGKILL)
            killed += 1
    return killed


def test_a_dispatch_that_fails_in_every_attempt_is_kept(pipeline: Pipeline) -> None:
    pipeline.add(["Anyone"])
    pipeline.control.add_fault("dynamodb", operation="Scan", status=400, code="AccessDeniedException")
    run = new_run()

    pipeline.client("lambda").invoke(
        FunctionName=pipeline.outputs["dispatch_function"],
        InvocationType="Event",
        Payload=json.dumps({"run": run}).encode(),
    )

    wait_until(lambda: pipeline.waiting("dispatch_failures_queue_url"), 30, "the failed invocation")
    url = pipeline.outputs["dispatch_failures_queue_url"]
    [message] = pipeline.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["requestPayload"] == {"run": run}
