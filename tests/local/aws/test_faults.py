"""Which requests a fault hits, what is counted, and how a request's operation is recognised."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from local.aws.faults import Fault, FaultPlan, around, fail_documents
from local.aws.operations import operation_of

JSON = {"content-type": "application/x-amz-json-1.0"}
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def call(plan: FaultPlan, operation: str = "PutItem", body: bytes = b"{}") -> tuple[int, dict[str, str], Any]:
    async def handler(*_: object) -> tuple[int, dict[str, str], Any]:
        return 200, {}, b'{"ok": true}'

    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", **JSON}
    return asyncio.run(around("dynamodb", handler, plan)("POST", "/", headers, body, {}))


def test_without_faults_the_answer_passes() -> None:
    plan = FaultPlan()
    assert call(plan) == (200, {}, b'{"ok": true}')
    assert plan.counts() == {"dynamodb": {"PutItem": 1}}
    plan.reset_counts()
    assert plan.counts() == {}


def test_a_fault_is_answered_instead() -> None:
    plan = FaultPlan()
    plan.add(Fault("dynamodb", code="InternalServerError", message="Out of luck"))
    status, headers, body = call(plan)
    assert status == 500
    assert headers["x-amzn-errortype"] == "InternalServerError"
    assert json.loads(body) == {"__type": "InternalServerError", "message": "Out of luck"}


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (Fault("dynamodb", code="X"), True),
        (Fault("sqs", code="X"), False),
        (Fault("dynamodb", operation="PutItem", code="X"), True),
        (Fault("dynamodb", operation="GetItem", code="X"), False),
        (Fault("dynamodb", contains="Acme", code="X"), True),
        (Fault("dynamodb", contains="Müller", code="X"), True),
        (Fault("dynamodb", contains="Nobody", code="X"), False),
    ],
)
def test_what_a_fault_hits(fault: Fault, hit: bool) -> None:
    plan = FaultPlan()
    plan.add(fault)
    body = json.dumps({"Item": {"name": {"S": "Acme Müller"}}}).encode()  # escapes the umlaut, as SDKs do
    assert (call(plan, body=body)[0] == 500) is hit


def test_times() -> None:
    plan = FaultPlan()
    plan.add(Fault("dynamodb", code="X", times=2))
    assert [call(plan)[0] for _ in range(4)] == [500, 500, 200, 200]
    assert plan.counts() == {"dynamodb": {"PutItem": 4}}


def test_the_oldest_fault_acts_first() -> None:
    plan = FaultPlan()
    plan.add(Fault("dynamodb", code="X", status=503, times=1))
    plan.add(Fault("dynamodb", code="Y", status=400, times=1))
    assert [call(plan)[0] for _ in range(3)] == [503, 400, 200]


def test_clear() -> None:
    plan = FaultPlan()
    plan.add(Fault("dynamodb", code="X"))
    plan.set_latency("dynamodb", 60)
    plan.clear()
    assert call(plan)[0] == 200


def test_latency_and_delay_add_up() -> None:
    plan = FaultPlan()
    plan.set_latency("dynamodb", 0.05)
    plan.add(Fault("dynamodb", delay=0.05))
    started = time.monotonic()
    assert call(plan)[0] == 200
    assert time.monotonic() - started >= 0.1


def test_single_documents_fail() -> None:
    request = json.dumps({"TextList": ["good", "bad Müller", "x" * 9000]}).encode()
    results = [{"Index": index, "Sentiment": "NEUTRAL"} for index in (0, 1)]
    too_long = {"Index": 2, "ErrorCode": "TEXT_SIZE_LIMIT_EXCEEDED", "ErrorMessage": "Too long."}
    answer = json.dumps({"ResultList": results, "ErrorList": [too_long]}).encode()
    fault = Fault("comprehend", contains="Müller", item_error="INTERNAL_SERVER_ERROR", message="No.")
    assert json.loads(fail_documents(request, answer, fault)) == {
        "ResultList": [results[0]],
        "ErrorList": [{"Index": 1, "ErrorCode": "INTERNAL_SERVER_ERROR", "ErrorMessage": "No."}, too_long],
    }


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"code": "X"}, "needs a service"),
        ({"service": "sqs"}, "needs one of"),
        ({"service": "sqs", "code": "X", "colour": "red"}, "has no colour"),
        ({"service": "sqs", "drop": "all"}, "request or response"),
    ],
)
def test_mistaken_faults_are_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Fault.from_json(values)


def test_services_have_to_exist_and_may_be_called_by_an_alias() -> None:
    plan = FaultPlan()
    plan.know({"dynamodb": "dynamodb", "dynamo": "dynamodb"})
    plan.add(Fault("dynamo", code="X"))
    assert call(plan)[0] == 500
    with pytest.raises(ValueError, match="no service dynamoo"):
        plan.set_latency("dynamoo", 1)


@pytest.mark.parametrize(
    ("service", "request_line", "headers", "body", "operation"),
    [
        ("sqs", "POST /", {"x-amz-target": "AmazonSQS.SendMessageBatch"}, b"{}", "SendMessageBatch"),
        ("sns", "POST /", FORM, b"Action=Publish&Version=2010-03-31", "Publish"),
        ("sts", "GET /?Action=GetCallerIdentity", {}, b"", "GetCallerIdentity"),
        ("s3", "PUT /bucket/some/key", {}, b"Action=no", "PutObject"),
        ("s3", "GET /bucket/key", {}, b"", "GetObject"),
        ("s3", "GET /bucket?list-type=2", {}, b"", "ListObjectsV2"),
        ("s3", "POST /bucket?delete", {}, b"", "DeleteObjects"),
        ("s3", "PUT /bucket?versioning", {}, b"", "PUT versioning"),
        ("s3", "GET /", {}, b"", "ListBuckets"),
        ("lambda", "POST /2015-03-31/functions/f/invocations", {}, b"{}", "InvokeFunction"),
        ("apigateway", "GET /v2/apis/ab12/routes", {}, b"", "GET /*/apis/*/routes"),
    ],
)
def test_operations(service: str, request_line: str, headers: dict[str, str], body: bytes, operation: str) -> None:
    method, _, target = request_line.partition(" ")
    path, _, parameters = target.partition("?")
    query = {name: [value] for name, _, value in (pair.partition("=") for pair in parameters.split("&") if pair)}
    assert operation_of(service, method, path, headers, body, query) == operation
