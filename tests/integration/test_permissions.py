"""Permissions are minimal: each granted action is needed, shown by taking it away.

That they are sufficient is what all the other integration tests show, since IAM is enforced in them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.harness import Pipeline, new_run

# Actions that AWS itself carries out in a function's name, and the embedded AWS without asking its role.
NOT_ENFORCED_LOCALLY = {
    "logs:CreateLogStream": "Lambda writes a function's log",
    "logs:PutLogEvents": "Lambda writes a function's log",
    "xray:PutTraceSegments": "Lambda sends a function's traces",
    "xray:PutTelemetryRecords": "Lambda sends a function's traces",
    "sqs:ReceiveMessage": "Lambda's event source reads the queue",
    "sqs:DeleteMessage": "Lambda's event source deletes what was done",
    "sqs:GetQueueAttributes": "Lambda's event source looks at the queue",
    "sqs:SendMessage to failures": "Lambda sends failed asynchronous invocations",
}


class Roles:
    """The functions' roles and their policies."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._iam = pipeline.client("iam")
        self._lambda = pipeline.client("lambda")
        self._pipeline = pipeline

    def role_of(self, function: str) -> str:
        name = self._pipeline.outputs[f"{function}_function"]
        return self._lambda.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]

    def policies(self, role: str) -> dict[str, dict[str, Any]]:
        names = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        return {name: self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}

    def granted(self, function: str) -> Iterator[tuple[str, int, str, str]]:
        """Every granted action: policy, position of its statement, action, and how tests call it."""
        for policy, document in self.policies(self.role_of(function)).items():
            for position, statement in enumerate(document["Statement"]):
                for action in statement["Action"]:
                    to_failures = action == "sqs:SendMessage" and "-failures-" in statement["Resource"][0]
                    yield policy, position, action, f"{action} to failures" if to_failures else action

    @contextmanager
    def without(self, function: str, policy: str, position: int, action: str) -> Iterator[None]:
        """Take one action out of a policy for as long as the context lasts."""
        role = self.role_of(function)
        document = self.policies(role)[policy]
        changed = json.loads(json.dumps(document))
        changed["Statement"][position]["Action"].remove(action)
        changed["Statement"] = [statement for statement in changed["Statement"] if statement["Action"]]
        self._put(role, policy, changed)
        try:
            yield
        finally:
            self._put(role, policy, document)

    def _put(self, role: str, policy: str, document: dict[str, Any]) -> None:
        if document["Statement"]:
            self._iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
        else:
            self._iam.delete_role_policy(RoleName=role, PolicyName=policy)


class Uses:
    """Everything the functions do, each use telling whether it worked."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lambda = pipeline.client("lambda")

    def failing(self, function: str) -> list[str]:
        uses = {"dispatch": [self.small_table, self.large_table], "analyse": [self.analysis, self.again, self.failure]}
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

    def analysis(self) -> bool:
        self._run = new_run()
        return self._analyse(json.dumps({"run": self._run, "company": "Permitted"})) == []

    def again(self) -> bool:
        """A message that comes again looks for its result object."""
        return self._analyse(json.dumps({"run": self._run, "company": "Permitted"})) == []

    def failure(self) -> bool:
        """A message that failed is delayed."""
        name = f"No run {new_run()}"
        self._analyse(json.dumps({"company": name}))
        refused = [line for line in self._pipeline.logs("analyse") if line.get("message") == "delay refused"]
        new = len(refused) > getattr(self, "_refused", 0)
        self._refused = len(refused)
        return not new

    def _dispatch(self) -> dict[str, Any]:
        name = self._pipeline.outputs["dispatch_function"]
        return self._lambda.invoke(FunctionName=name, Payload=json.dumps({"run": new_run()}).encode())

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
    roles = Roles(pipeline)
    granted = list(roles.granted(function))
    assert uses.failing(function) == []

    idle = []
    for policy, position, action, called in granted:
        if called in NOT_ENFORCED_LOCALLY:
            continue
        # Texts are analysed only when they change, so that the paid call is used again.
        pipeline.control.set_text("Permitted", f"A wonderful company, {action}.")
        with roles.without(function, policy, position, action):
            if not uses.failing(function):
                idle.append(called)

    assert idle == []
    assert uses.failing(function) == []
    assert len(granted) == {"dispatch": 9, "analyse": 13}[function]


def test_every_exception_is_granted_to_some_function(pipeline: Pipeline) -> None:
    granted = {called for function in ("dispatch", "analyse") for *_, called in Roles(pipeline).granted(function)}

    assert set(NOT_ENFORCED_LOCALLY) <= granted


def test_a_role_reaches_nothing_else(pipeline: Pipeline) -> None:
    """The functions' roles are asked about neighbouring resources and actions."""
    iam, roles = pipeline.client("iam"), Roles(pipeline)
    account = "000000000000"
    analyse = f"arn:aws:iam::{account}:role/{roles.role_of('analyse')}"
    bucket = f"arn:aws:s3:::{pipeline.outputs['results_bucket']}"
    table = f"arn:aws:dynamodb:{pipeline.stack.aws.region}:{account}:table/{pipeline.outputs['companies_table']}"
    asked = [
        ("s3:PutObject", f"{bucket}/elsewhere/x.csv"),
        ("s3:GetObject", f"{bucket}/sentiment/x.csv"),
        ("s3:DeleteObject", f"{bucket}/sentiment/x.csv"),
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
