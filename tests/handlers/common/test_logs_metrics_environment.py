"""What all functions share: logs, metrics, settings, waits and clients."""

from __future__ import annotations

import importlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.common import logs
from handlers.common.clients import aws_client
from handlers.common.environment import read_environment
from handlers.common.logs import logger, start_request
from handlers.common.metrics import emit_counts
from tests.handlers.conftest import LogLines
from tests.handlers.sentiment.pipeline import RUN, Context


class Environment(msgspec.Struct):
    queue_url: str
    days: Annotated[int, msgspec.Meta(ge=1)]
    limit: int = 10


def test_line_is_json_with_request_run_company_and_level(log_lines: LogLines) -> None:
    start_request(Context(), run=RUN)
    logger.warning("slow: %s", "Café", extra={"company": 'A "b"\n'})
    [line] = log_lines()
    written = datetime.fromisoformat(line.pop("timestamp"))
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)
    assert line == {
        "level": "WARNING",
        "message": "slow: Café",
        "logger": "cloud_nlp",
        "request_id": Context.aws_request_id,
        "run": RUN,
        "company": 'A "b"\n',
    }


def test_next_request_forgets_the_one_before(log_lines: LogLines) -> None:
    start_request(Context(), run=RUN)
    start_request(object())
    logger.info("next")
    [line] = log_lines()
    assert line["request_id"] == ""
    assert "run" not in line


def test_names_can_be_searched_as_they_are_written() -> None:
    record = logger.makeRecord("cloud_nlp", 20, "", 0, "Café 🏢 أرامكو", (), None)
    assert "Café 🏢 أرامكو" in logger.handlers[0].format(record)


def test_exception_stays_on_one_line(log_lines: LogLines) -> None:
    try:
        raise ValueError("why\nthat")
    except ValueError:
        logger.exception("failed")
    [line] = log_lines()
    assert line["level"] == "ERROR"
    assert "ValueError: why\nthat" in line["exc_info"]


def test_level_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = logger.level
    try:
        monkeypatch.setenv("LOG_LEVEL", "ERROR")
        assert logs._make_logger().level == 40
        monkeypatch.delenv("LOG_LEVEL")
        assert logs._make_logger().level == 20
    finally:
        logger.setLevel(before)


def test_line_is_not_printed_again_by_lambdas_own_handler() -> None:
    assert logger.propagate is False
    importlib.reload(logs)
    assert len([handler for handler in logs.logger.handlers if type(handler).__module__ == "logging"]) == 1


@given(st.dictionaries(st.sampled_from(["Companies", "Failed", "Analysed"]), st.integers(0, 10**6), min_size=1))
def test_metrics_are_in_the_embedded_format(counts: dict[str, int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("handlers.common.metrics.sys.stdout", _Out(written))
        patch.setenv("STACK", "dev")
        emit_counts("analyse", counts, run=RUN)
    [text] = written
    assert text.endswith("\n")
    assert "\n" not in text[:-1]
    line = json.loads(text)
    # The specification: numbers where metrics point to, texts where dimensions do, at most 100 metrics, milliseconds.
    assert abs(line["_aws"]["Timestamp"] - time.time() * 1000) < 60_000
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "CloudNLP"
    assert directive["Dimensions"] == [["Stack", "Service"]]
    assert {metric["Name"] for metric in directive["Metrics"]} == set(counts)
    assert {metric["Unit"] for metric in directive["Metrics"]} == {"Count"}
    assert {name: line[name] for name in counts} == counts
    assert (line["Stack"], line["Service"], line["run"]) == ("dev", "analyse", RUN)
    assert set(line) == {"_aws", "Stack", "Service", "run", *counts}


class _Out:
    def __init__(self, written: list[str]) -> None:
        self.write = written.append

    def flush(self) -> None:
        pass


def test_variables_become_typed_fields() -> None:
    variables = {"QUEUE_URL": "https://queue", "DAYS": "90", "PATH": "/bin"}
    assert read_environment(Environment, variables) == Environment("https://queue", 90)
    assert read_environment(Environment, variables | {"LIMIT": "3"}) == Environment("https://queue", 90, 3)


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"DAYS": "90"}, "queue_url"),
        ({"QUEUE_URL": "q"}, "days"),
        ({"QUEUE_URL": "q", "DAYS": "many"}, "days"),
        ({"QUEUE_URL": "q", "DAYS": ""}, "days"),
        ({"QUEUE_URL": "q", "DAYS": "0"}, "days"),
        ({"QUEUE_URL": "q", "DAYS": "90", "LIMIT": "1.5"}, "limit"),
    ],
)
def test_wrong_variable_is_named(variables: dict[str, str], name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        read_environment(Environment, variables)


def test_variables_are_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_URL", "https://queue")
    monkeypatch.setenv("DAYS", "7")
    assert read_environment(Environment) == Environment("https://queue", 7)


def test_clients_have_limits_and_room_for_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    config = aws_client("sqs").meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (config.connect_timeout, config.read_timeout) == (2, 8)
    assert config.max_pool_connections >= 25
