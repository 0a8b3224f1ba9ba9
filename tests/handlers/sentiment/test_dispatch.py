"""The function that sends a message for every company."""

from __future__ import annotations

import importlib
import json
import sys
import zlib
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from handlers.common import clients
from handlers.sentiment.messages import CompanyMessage, parse_message
from handlers.sentiment.sending import SendingError
from tests.handlers.aws_fakes import QUEUE, Fake, FakeSqs, client_error
from tests.handlers.sentiment.pipeline import RUN, Context

TABLE = "companies"
# As EventBridge writes it.
EVENT = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-21T06:52:00Z",
    "region": "eu-central-1",
    "resources": ["arn:aws:events:eu-central-1:123456789012:rule/schedule"],
    "detail": {},
}


class FakeCompanies(Fake):
    """The table of companies: DynamoDB's scan with pages and segments."""

    service = "dynamodb"

    def __init__(self) -> None:
        super().__init__()
        self.items: list[dict[str, Any]] = []
        self.page_size = 1000
        self.known_count: int | None = None

    def add(self, count: int) -> list[str]:
        names = [f"company {number:05}" for number in range(count)]
        self.items += [{"name": {"S": name}} for name in names]
        return names

    def scan(self, **parameters: Any) -> dict[str, Any]:
        self.begin("Scan", parameters)
        assert parameters["TableName"] == TABLE
        assert parameters["ProjectionExpression"] == "#name, #page"
        assert parameters["ExpressionAttributeNames"] == {"#name": "name", "#page": "page"}
        segment, segments = parameters.get("Segment", 0), parameters.get("TotalSegments", 1)
        assert 0 <= segment < segments
        items = [item for item in self.items if zlib.crc32(item["name"]["S"].encode()) % segments == segment]
        start = parameters.get("ExclusiveStartKey")
        first = 1 + [item["name"] for item in items].index(start["name"]) if start else 0
        size = min(self.page_size, parameters.get("Limit", self.page_size))
        page = items[first : first + size]
        # As DynamoDB: a full page names its last key, also when nothing follows.
        more = {"LastEvaluatedKey": {"name": page[-1]["name"]}} if len(page) == size else {}
        return {"Items": page, "Count": len(page), **more}

    def describe_table(self, **parameters: Any) -> dict[str, Any]:
        self.begin("DescribeTable", parameters)
        return {"Table": {"ItemCount": len(self.items) if self.known_count is None else self.known_count}}


class FakeLambda(Fake):
    """Takes invocations; the test carries them out."""

    service = "lambda"

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[dict[str, Any]] = []

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        self.begin("Invoke", parameters)
        assert parameters["FunctionName"] == Context.invoked_function_arn
        assert parameters["InvocationType"] == "Event"
        self.requests.append(json.loads(parameters["Payload"]))
        return {"StatusCode": 202}


class Dispatch:
    """The module, imported on fakes."""

    def __init__(self) -> None:
        self.companies, self.sqs, self.lambda_ = FakeCompanies(), FakeSqs(), FakeLambda()
        fakes = {"dynamodb": self.companies, "sqs": self.sqs, "lambda": self.lambda_}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clients, "aws_client", lambda service, *_, **__: fakes[service])
            sys.modules.pop("handlers.sentiment.dispatch", None)
            self.module = importlib.import_module("handlers.sentiment.dispatch")

    def start(self, event: dict[str, Any] | None = None, *left: int) -> dict[str, Any]:
        return self.module.handler({"run": RUN} if event is None else event, Context(*left))

    def finish(self, *left: int) -> None:
        """Carry out what was handed to other invocations, until nothing is left."""
        for _ in range(500):
            if not self.lambda_.requests:
                return
            self.start(self.lambda_.requests.pop(0), *left)
        raise AssertionError("invocations without end")

    def sent(self) -> Counter[str]:
        return Counter(parse_message(body).company for body in self.sqs.bodies)


@pytest.fixture
def dispatch(monkeypatch: pytest.MonkeyPatch) -> Dispatch:
    for name, value in {"COMPANIES_TABLE": TABLE, "WORK_QUEUE_URL": QUEUE, "SEGMENT_SIZE": "100"}.items():
        monkeypatch.setenv(name, value)
    return Dispatch()


def test_empty_table_is_a_run_of_nothing(dispatch: Dispatch) -> None:
    assert dispatch.start() == {"run": RUN, "companies": 0}
    assert dispatch.sqs.calls == dispatch.lambda_.calls == []


def test_small_table_is_sent_at_once(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(99)
    assert dispatch.start() == {"run": RUN, "companies": 99}
    assert dispatch.sent() == Counter(names)
    assert {parse_message(body).run for body in dispatch.sqs.bodies} == {RUN}
    assert dispatch.companies.count("Scan") == 1
    assert dispatch.lambda_.calls == []


def test_page_is_sent_where_there_is_one(dispatch: Dispatch) -> None:
    dispatch.companies.items = [{"name": {"S": "Meta"}, "page": {"S": "Meta Platforms"}}, {"name": {"S": "IBM"}}]
    dispatch.start()
    assert [parse_message(body) for body in dispatch.sqs.bodies] == [
        CompanyMessage(RUN, "Meta", "Meta Platforms"),
        CompanyMessage(RUN, "IBM"),
    ]


def test_empty_page_is_no_page(dispatch: Dispatch) -> None:
    dispatch.companies.items = [{"name": {"S": "Meta"}, "page": {"S": ""}}]
    dispatch.start()
    assert [parse_message(body) for body in dispatch.sqs.bodies] == [CompanyMessage(RUN, "Meta")]


@pytest.mark.parametrize(("companies", "segments"), [(100, 8), (101, 2), (250, 3), (1000, 10)])
def test_large_table_is_fanned_out_and_every_company_sent_once(
    dispatch: Dispatch, companies: int, segments: int
) -> None:
    names = dispatch.companies.add(companies)
    assert dispatch.start() == {"run": RUN, "segments": segments}
    assert dispatch.sqs.bodies == []
    requests = sorted(dispatch.lambda_.requests, key=lambda request: request["segment"])
    assert requests == [{"run": RUN, "segment": number, "segments": segments} for number in range(segments)]
    dispatch.finish(300_000)
    assert dispatch.sent() == Counter(names)


def test_table_that_has_grown_since_dynamodb_counted_it(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(500)
    dispatch.companies.known_count = 0
    assert dispatch.start()["segments"] == 8
    dispatch.finish(300_000)
    assert dispatch.sent() == Counter(names)


def test_page_that_is_cut_by_its_size_does_not_end_the_table(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(90)
    dispatch.companies.page_size = 7
    assert dispatch.start()["segments"] == 8
    dispatch.finish(300_000)
    assert dispatch.sent() == Counter(names)


def test_segment_is_handed_on_when_time_runs_short(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(300)
    dispatch.companies.page_size = 20
    dispatch.start()
    for _ in range(3):
        request = dispatch.lambda_.requests.pop(0)
        answer = dispatch.start(request, 15_000, 14_999)
        assert answer == {"run": RUN, "segment": request["segment"], "companies": 40}
        rest = dispatch.lambda_.requests[-1]
        assert rest == request | {"start_key": rest["start_key"]}
    dispatch.finish(14_999)
    assert dispatch.sent() == Counter(names)


def test_last_page_is_not_handed_on(dispatch: Dispatch) -> None:
    dispatch.companies.add(5)
    answer = dispatch.start({"run": RUN, "segment": 0, "segments": 1}, 1)
    assert answer == {"run": RUN, "segment": 0, "companies": 5}
    assert dispatch.lambda_.calls == []


@pytest.mark.parametrize(
    ("companies", "size", "segments"),
    [(0, 2000, 8), (1, 2000, 8), (4000, 2000, 2), (4001, 2000, 3), (128_000, 2000, 64), (10**9, 1, 64)],
)
def test_number_of_segments(dispatch: Dispatch, companies: int, size: int, segments: int) -> None:
    assert dispatch.module.segments_for(companies, size) == segments


def test_same_event_delivered_twice_is_the_same_run(dispatch: Dispatch) -> None:
    dispatch.companies.add(3)
    first, second = dispatch.start(EVENT), dispatch.start(dict(EVENT))
    assert first == second == {"run": first["run"], "left_out": False, "waiting": 0}
    assert first["run"].startswith("20261121T065200Z-")
    dispatch.finish()
    assert set(Counter(dispatch.sqs.bodies).values()) == {2}, "the very same messages, which analyse recognises"


def test_other_events_are_other_runs_that_sort_by_time(dispatch: Dispatch) -> None:
    other = EVENT | {"id": "00000000-0000-4000-8000-000000000000"}
    later = EVENT | {"time": "2026-11-21T06:57:00Z"}
    assert dispatch.start(EVENT)["run"] != dispatch.start(other)["run"]
    assert dispatch.start(EVENT)["run"] < dispatch.start(later)["run"]


def test_run_started_by_hand_is_named_by_its_request(dispatch: Dispatch) -> None:
    before = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    run = dispatch.start({})["run"]
    assert before <= run[:16] <= f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    assert dispatch.start({})["run"][16:] == run[16:]


@pytest.mark.parametrize(
    "event",
    [{"run": "today"}, {"run": 7}, {"run": "99991231T235959Z-1a2b3c4d"}, {"time": "today"}, {"segment": "first"}],
)
def test_wrong_request_is_refused_with_the_field(dispatch: Dispatch, event: dict[str, Any]) -> None:
    dispatch.companies.add(3)
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{next(iter(event))}"):
        dispatch.start(event)
    assert dispatch.sqs.calls == []


def test_refused_messages_are_sent_again(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(30)
    dispatch.sqs.refused = [{"0", "9"}, {"5"}, set()]
    dispatch.start()
    assert dispatch.sent() == Counter(names)


def test_messages_refused_for_ever_fail_the_invocation_which_lambda_repeats(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.retry.full_jitter", lambda *_: 0)
    dispatch.companies.add(3)
    dispatch.sqs.refused = [{"1"}] * 6
    with pytest.raises(SendingError):
        dispatch.start()


def test_invocation_that_is_refused_is_not_overlooked(dispatch: Dispatch) -> None:
    dispatch.companies.add(500)
    dispatch.lambda_.failures["Invoke"] = [None, client_error("TooManyRequestsException")]
    with pytest.raises(Exception, match="TooManyRequests"):
        dispatch.start()


@pytest.mark.parametrize(("visible", "delayed"), [(51, 0), (0, 51), (30, 21)])
def test_scheduled_run_is_left_out_while_companies_of_an_earlier_one_are_waiting(
    dispatch: Dispatch, capsys: pytest.CaptureFixture[str], visible: int, delayed: int
) -> None:
    dispatch.companies.add(3)
    dispatch.sqs.waiting = (visible, delayed)
    answer = dispatch.start(EVENT)
    assert (answer["left_out"], answer["waiting"]) == (True, 51)
    assert dispatch.lambda_.requests == []
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (line["Service"], line["RunsLeftOut"]) == ("dispatch", 1)


def test_batch_that_is_waiting_does_not_hold_up_a_scheduled_run(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(3)
    dispatch.sqs.waiting = (50, 0)
    assert not dispatch.start(EVENT)["left_out"]
    dispatch.finish()
    assert dispatch.sent() == Counter(names)


def test_scheduled_run_that_failed_half_way_is_repeated_whole(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(30)
    dispatch.start(EVENT)
    [request] = dispatch.lambda_.requests
    dispatch.sqs.failures["SendMessageBatch"] = [None, client_error("InternalError")]
    with pytest.raises(Exception, match="InternalError"):
        dispatch.start(request)
    dispatch.sqs.waiting = (60, 0)
    dispatch.start(request)
    assert set(dispatch.sent()) == set(names)


def test_run_that_is_started_by_hand_is_never_left_out(dispatch: Dispatch) -> None:
    names = dispatch.companies.add(3)
    dispatch.sqs.waiting = (1000, 0)
    dispatch.start({})
    assert dispatch.sent() == Counter(names)


def test_companies_are_counted(dispatch: Dispatch, capsys: pytest.CaptureFixture[str]) -> None:
    dispatch.companies.add(12)
    dispatch.start()
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (line["Service"], line["Companies"], line["run"]) == ("dispatch", 12, RUN)


def test_missing_variable_is_named_at_start(dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORK_QUEUE_URL")
    with pytest.raises(msgspec.ValidationError, match="work_queue_url"):
        Dispatch()
