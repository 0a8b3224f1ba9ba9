"""Companies of which nothing changed: what a look at them writes, and tables of earlier versions."""

from __future__ import annotations

from collections import Counter
from typing import Any

from local.demo.api_client import ApiUser
from schema.dynamodb import encode
from tests.integration.harness import Pipeline, new_run

WELL = "All is well. Customers love this wonderful company."


def observed(pipeline: Pipeline, name: str) -> str:
    """Put a company on the watch-list and have a run look at it; returns the run."""
    pipeline.control.set_text(name, f"{WELL} Its name is {name}.")
    pipeline.add([name])
    run = pipeline.start()["run"]
    pipeline.follow(run, [name])
    pipeline.idle()
    return run


def units(pipeline: Pipeline, run: str) -> float:
    """Write units that DynamoDB charged for, as the batches of a run have logged."""
    lines = [line for line in pipeline.logs("analyse") if run in line.get("runs", "")]
    return sum(float(line["write_units"]) for line in lines)


def test_a_look_at_an_unchanged_company_is_one_write_unit_and_no_row(pipeline: Pipeline) -> None:
    first = observed(pipeline, "Steady")
    before = pipeline.latest("Steady")

    second = pipeline.start()["run"]
    pipeline.follow(second, ["Steady"])
    pipeline.idle()

    assert units(pipeline, second) == 1
    assert units(pipeline, first) == 2 * 3  # in a transaction: the history, the latest observation and the text
    assert pipeline.rows(second) == []
    assert [one["run"] for one in pipeline.history("Steady")] == [first]
    after = pipeline.latest("Steady")
    assert (after["run"], after["observed_at"]) == (second, before["observed_at"])
    assert after["looked_at"] >= before["looked_at"]
    assert pipeline.counted(second) == Counter(looked_at=1, unchanged=1, calls_saved=1)


def test_a_refused_look_at_an_unchanged_company_is_written_later(pipeline: Pipeline) -> None:
    observed(pipeline, "Update refused")
    fault = {"status": 400, "code": "ProvisionedThroughputExceededException", "times": 4}
    pipeline.control.add_fault("dynamodb", operation="UpdateItem", **fault)

    second = pipeline.start()["run"]

    pipeline.follow(second, ["Update refused"], seconds=40)
    pipeline.idle()
    assert pipeline.rows(second) == []
    assert (pipeline.counted(second)["looked_at"], pipeline.counted(second)["unchanged"]) == (1, 1)
    assert len(pipeline.history("Update refused")) == 1


def test_a_look_whose_summary_is_refused_is_counted_later(pipeline: Pipeline) -> None:
    observed(pipeline, "Summary refused")
    pipeline.control.add_fault("s3", operation="PutObject", status=503, code="SlowDown", times=4)

    second = pipeline.start()["run"]

    pipeline.follow(second, ["Summary refused"])
    pipeline.idle(seconds=60)
    assert pipeline.reasons("Summary refused")[0].startswith("batch summary not writable")
    assert pipeline.counted(second)["looked_at"] == 1


def test_tables_of_an_earlier_version_are_read_and_updated(pipeline: Pipeline, ann: ApiUser) -> None:
    """Items as version 0.1.0 wrote them: without hash, page, candidates, batch, and time of the last look."""
    pipeline.control.set_text("Earlier", f"{WELL} It is old.", revision="12")
    pipeline.add(["Earlier"])
    old = new_run()
    item: dict[str, Any] = {
        "company": "Earlier",
        "run": old,
        "observed_at": "2026-01-01T00:00:00Z",
        "label": "POSITIVE",
        "positive": 0.9,
        "negative": 0.02,
        "neutral": 0.05,
        "mixed": 0.03,
        "language": "en",
        "revision": "12",
        "unchanged": True,
        "snippet": "All is well.",
        "object": f"sentiment/dt=2026-01-01/{old}-0123456789abcdef.csv",
    }
    history = {**item, "record": old, "claimed_until": 1_767_225_600, "expires_at": 4_000_000_000}
    for one in (history, {**item, "record": "latest"}):
        pipeline.client("dynamodb").put_item(TableName=pipeline.outputs["observations_table"], Item=encode(one))
    shown = ann.call("GET", "/companies/Earlier")
    assert (shown["latest"]["label"], shown["latest"]["looked_at"]) == ("POSITIVE", item["observed_at"])
    assert [one["run"] for one in shown["history"]] == [old]

    run = pipeline.start()["run"]
    pipeline.follow(run, ["Earlier"])
    [row] = pipeline.rows_of(run, 1)
    pipeline.idle()

    assert pipeline.text(row["text_hash"]) == f"{WELL} It is old."
    shown = ann.call("GET", "/companies/Earlier")
    assert shown["latest"]["text_hash"] == row["text_hash"]
    assert [one["run"] for one in shown["history"]] == [run, old]
    again = pipeline.start()["run"]
    pipeline.follow(again, ["Earlier"])
    pipeline.idle()
    assert (pipeline.rows(again), pipeline.latest("Earlier")["run"]) == ([], again)
