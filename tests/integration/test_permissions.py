"""Permissions are minimal: each granted action is needed, shown by taking it away.

That they are sufficient is what all the other integration tests show, since IAM is enforced in them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.harness import Pipeline, new_run
from tests.integration.roles import Roles

# Time of a scheduled run: with the present one, it would overtake the runs of all other tests.
OLD = "2026-01-01T00:00:00Z"


class Uses:
    """Everything the functions do, each use telling whether it worked."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lambda = pipeline.client("lambda")

    def failing(self, function: str) -> list[str]:
        uses = {"dispatch": [self.small_table, self.large_table, self.schedule], "analyse": self.analyses}
        return [use.__name__ for use in uses[function] if not use()]

    def small_table(self) -> bool:
        return "FunctionError" not in self._dispatch()

    def large_table(self) -> bool:
        with self._segments_of(1):
            answer = self._dispatch()
            if "FunctionError" in answer:
                return False
            self._wait_for_segments(json.loads(answer["Payload"].read()))
            return True

    def _wait_for_segments(self, started: dict[str, Any]) -> None:
        """Let their invocations end, so that none of them outlasts the setting they were started with."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            lines = [line for line in self._pipeline.logs("dispatch") if line.get("run") == started["run"]]
            if sum(line.get("message") == "dispatched" for line in lines) > started["segments"]:
                return
            time.sleep(0.2)

    def schedule(self) -> bool:
        """A scheduled run is left out while companies are waiting."""
        return "FunctionError" not in self._invoke("dispatch", {"source": "aws.events", "id": new_run(), "time": OLD})

    @property
    def analyses(self) -> list[Callable[[], bool]]:
        return [self.analysis, self.again, self.unchanged, self.failure, self.turn, self.postponement]

    def analysis(self) -> bool:
        self._run = new_run()
        return self._analyse(json.dumps({"run": self._run, "company": "Permitted"})) == []

    def unchanged(self) -> bool:
        """A run that finds nothing new moves the latest observation."""
        return self._analyse(json.dumps({"run": new_run(), "company": "Permitted"})) == []

    def again(self) -> bool:
        """A message that comes again looks for its result object and its summary."""
        return self._analyse(json.dumps({"run": self._run, "company": "Permitted"})) == []

    def failure(self) -> bool:
        """A message that failed is delayed."""
        name = f"No run {new_run()}"
        self._analyse(json.dumps({"company": name}))
        refused = [line for line in self._pipeline.logs("analyse") if line.get("message") == "delay refused"]
        new = len(refused) > getattr(self, "_refused", 0)
        self._refused = len(refused)
        return not new

    def turn(self) -> bool:
        """A message that had to wait for its turn at the text source looks whether there is a pause."""
        with self._budget(free_at=time.time() + 1.5 + 6000 * 60 / 54_000):  # of 60,000 requests a minute
            return self._analyse(json.dumps({"run": new_run(), "company": "Permitted"})) == []

    def postponement(self) -> bool:
        """A message that cannot wait so long is put back as a new one."""
        with self._budget(paused_until=time.time() + 900):
            answer = self._analyse(json.dumps({"run": new_run(), "company": "Permitted"}))
        self._pipeline.client("sqs").purge_queue(QueueUrl=self._pipeline.outputs["work_queue_url"])
        return answer == []

    @contextmanager
    def _budget(self, **times: float) -> Iterator[None]:
        self._pipeline.set_budget(**times)
        try:
            yield
        finally:
            self._pipeline.set_budget()

    def _dispatch(self) -> dict[str, Any]:
        return self._invoke("dispatch", {"run": new_run()})

    def _invoke(self, function: str, event: dict[str, str]) -> dict[str, Any]:
        name = self._pipeline.outputs[f"{function}_function"]
        return self._lambda.invoke(FunctionName=name, Payload=json.dumps(event).encode())

    def _analyse(self, body: str) -> list[dict[str, str]] | None:
        record = {"messageId": "1", "receiptHandle": "unknown", "body": body, "attributes": {}}
        answer = self._lambda.invoke(
            FunctionName=self._pipeline.outputs["analyse_function"],
            Payload=json.dumps({"Records": [record]}).encode(),
        )
        return json.loads(answer["Payload"].read()).get("batchItemFailures")

    @contextmanager
    def _segments_of(self, companies: int) -> Iterator[None]:
        name = self._pipeline.outputs["dispatch_function"]
        variables = self._lambda.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        self._configure(name, {**variables, "SEGMENT_SIZE": str(companies)})
        try:
            yield
        finally:
            self._configure(name, variables)

    def _configure(self, name: str, variables: dict[str, str]) -> None:
        self._lambda.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        self._lambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


@pytest.fixture
def uses(pipeline: Pipeline) -> Uses:
    for name in ("Permitted", "Other"):
        pipeline.control.set_text(name, "A wonderful company.")
    pipeline.add(["Permitted", "Other"])
    return Uses(pipeline)


@pytest.mark.parametrize("function", ["dispatch", "analyse"])
def test_no_granted_action_is_idle(pipeline: Pipeline, uses: Uses, function: str) -> None:
    roles = Roles(pipeline.stack)
    asked = roles.asked(f"sentiment-{function}")
    assert uses.failing(function) == []

    idle = []
    for grant in asked:
        # Texts are analysed only when they change, so that the paid call is used again.
        pipeline.control.set_text("Permitted", f"A wonderful company, {grant}.")
        with roles.without(grant):
            if not uses.failing(function):
                idle.append(str(grant))

    assert idle == []
    assert uses.failing(function) == []
    assert len(asked) == {"dispatch": 5, "analyse": 12}[function]


def test_a_role_reaches_nothing_else(pipeline: Pipeline) -> None:
    """The functions' roles are asked about neighbouring resources and actions."""
    iam, roles = pipeline.client("iam"), Roles(pipeline.stack)
    account = "000000000000"
    analyse = roles.arn("sentiment-analyse")
    bucket = f"arn:aws:s3:::{pipeline.outputs['results_bucket']}"
    table = f"arn:aws:dynamodb:{pipeline.stack.aws.region}:{account}:table/{pipeline.outputs['companies_table']}"
    asked = [
        ("s3:PutObject", f"{bucket}/elsewhere/x.csv"),
        ("s3:GetObject", f"{bucket}/sentiment/x.csv"),
        ("s3:DeleteObject", f"{bucket}/sentiment/x.csv"),
        ("s3:GetObject", f"{bucket}/sentiment-batches/x.csv"),
        ("s3:PutObject", f"{bucket}/sentiment-other/x.csv"),
        ("dynamodb:Scan", table),
        ("dynamodb:DeleteItem", table),
    ]

    for action, resource in asked:
        answer = iam.simulate_principal_policy(PolicySourceArn=analyse, ActionNames=[action], ResourceArns=[resource])
        assert answer["EvaluationResults"][0]["EvalDecision"] != "allowed", (action, resource)


def test_the_schedule_may_start_runs(pipeline: Pipeline) -> None:
    """EventBridge's permission names the function and the rule, and nobody else may invoke it."""
    name = pipeline.outputs["dispatch_function"]

    policy = json.loads(pipeline.client("lambda").get_policy(FunctionName=name)["Policy"])

    [statement] = policy["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "lambda:InvokeFunction"
    rules = pipeline.client("events").list_rules()["Rules"]
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] in {rule["Arn"] for rule in rules}
