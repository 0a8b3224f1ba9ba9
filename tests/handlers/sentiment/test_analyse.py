"""The function that analyses a batch: its parts put together."""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from handlers.common import clients
from handlers.sentiment.texts import RateLimitError, SourceError
from handlers.sentiment.wikipedia.source import Wikipedia
from tests.handlers.aws_fakes import BUCKET, QUEUE, TABLE, client_error
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import RUN, Context, Pipeline, body, record, records

ENVIRONMENT = {
    "OBSERVATIONS_TABLE": TABLE,
    "RESULTS_BUCKET": BUCKET,
    "WORK_QUEUE_URL": QUEUE,
    "BUDGET_TABLE": "budget",
    "TEXT_SOURCE_URL": "http://127.0.0.1:9/",
    "TEXT_REQUESTS_PER_MINUTE": "10",
    "CONTACT": "https://example.com/contact",
    "VERSION": "1.2.3",
    "LANGUAGE": "en",
    "RETENTION_DAYS": "90",
    "RETRY_SECONDS": "7",
}


def load(pipeline: Pipeline) -> ModuleType:
    """Import the module as a cold start does, on fakes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "aws_client", lambda service, *_, **__: getattr(pipeline, service))
        sys.modules.pop("handlers.sentiment.analyse", None)
        return importlib.import_module("handlers.sentiment.analyse")


@pytest.fixture
def analyse(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    module = load(pipeline)
    assert isinstance(module.source, Wikipedia)
    monkeypatch.setattr(module, "source", pipeline.source)
    return module


def event(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Records": messages}


def test_batch_is_published_and_answered(
    analyse: ModuleType,
    pipeline: Pipeline,
    capsys: pytest.CaptureFixture[str],
    log_lines: LogLines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("schema.retry._random.uniform", lambda _, longest: longest)
    pipeline.source.found["busy"] = SourceError("status 429", 100)
    messages = [record("{}", "bad"), *records("a", "busy")]
    answer = analyse.handler(event(messages), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}, {"itemIdentifier": f"busy@{RUN}"}]}
    assert pipeline.published() == [(RUN, "a")]
    assert (pipeline.counted(RUN)["looked_at"], pipeline.counted(RUN)["failed"]) == (1, 1)
    assert pipeline.sqs.delays == {"receipt-bad": 7, f"receipt-busy@{RUN}": 107}
    metrics = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (metrics["Companies"], metrics["Analysed"], metrics["Failed"]) == (2, 1, 2)
    assert metrics["ComprehendCalls"] == 1
    assert float(metrics["write_units"]) >= 6, "the history, the latest observation and the text, in a transaction"
    assert {line["request_id"] for line in log_lines()} == {Context.aws_request_id}


def test_refused_delay_does_not_lose_the_partial_answer(analyse: ModuleType, pipeline: Pipeline) -> None:
    pipeline.sqs.failures["ChangeMessageVisibilityBatch"] = [client_error("AccessDenied")]
    answer = analyse.handler(event([record("{}", "bad"), *records("a")]), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_batch_delivered_again_is_answered_and_not_published_again(analyse: ModuleType, pipeline: Pipeline) -> None:
    for _ in range(2):
        assert analyse.handler(event(records("a", "b")), Context()) == {"batchItemFailures": []}
    assert pipeline.published() == [(RUN, "a"), (RUN, "b")]


def test_claim_ends_with_the_invocation(
    analyse: ModuleType, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["handlers.sentiment.publishing"]
    monkeypatch.setattr(module, "time", SimpleNamespace(time=pipeline.clock))
    monkeypatch.setattr(module.Publisher.__init__, "__defaults__", (pipeline.clock,))
    analyse.handler(event(records("a")), Context(12_000))
    until = int(pipeline.dynamodb.items["a", RUN]["claimed_until"]["N"])
    assert 12 < until - pipeline.clock.time <= 18


def test_message_without_a_turn_is_put_back_and_does_not_fail(
    analyse: ModuleType, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.source.found["busy"] = RateLimitError("limit on requests reached", 100)
    assert analyse.handler(event(records("a", "busy")), Context()) == {"batchItemFailures": []}
    assert pipeline.published() == [(RUN, "a")]
    assert pipeline.sqs.bodies == [body("busy")]
    assert pipeline.sqs.delays == {}
    metrics = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (metrics["Companies"], metrics["Analysed"], metrics["Failed"], metrics["Postponed"]) == (2, 1, 0, 1)


def test_requests_to_the_text_source_are_counted(
    analyse: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse.api.requests = 7
    fetch = analyse.source.fetch

    def count(wanted: Any, deadline: float) -> Any:
        analyse.api.requests += 2
        analyse.api.refusals += 1
        return fetch(wanted, deadline)

    monkeypatch.setattr(analyse.source, "fetch", count)
    analyse.handler(event(records("a")), Context())
    counts = json.loads(capsys.readouterr().out.splitlines()[1])
    assert (counts["Service"], counts["Requests"], counts["Refusals"]) == ("text-source", 2, 1)


def test_history_is_kept_for_the_days_of_the_environment(analyse: ModuleType, pipeline: Pipeline) -> None:
    analyse.handler(event(records("a")), Context())
    item = pipeline.dynamodb.items["a", RUN]
    assert 89 * 86_400 < int(item["expires_at"]["N"]) - int(item["claimed_until"]["N"]) < 90 * 86_400


@pytest.mark.parametrize("name", sorted(set(ENVIRONMENT) - {"RETRY_SECONDS"}))
def test_missing_variable_is_named_at_start(
    analyse: ModuleType, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(msgspec.ValidationError, match=name.lower()):
        load(pipeline)


@pytest.mark.parametrize(
    ("name", "value"),
    [("RETENTION_DAYS", "0"), ("RETENTION_DAYS", "x"), ("RETRY_SECONDS", "-1"), ("TEXT_REQUESTS_PER_MINUTE", "0")],
)
def test_wrong_variable_is_named_at_start(
    analyse: ModuleType, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(msgspec.ValidationError, match=name.lower()):
        load(pipeline)
