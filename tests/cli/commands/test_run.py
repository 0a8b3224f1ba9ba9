"""`nlp run`, with a dispatch function and a queue in the emulator."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import cli.aws.follow
import cli.commands.run
from cli.aws.follow import RunFollower
from cli.commands.run import make_run_id
from tests.support.cli_aws import Product

RUN = "20261121T065200Z-1a2b3c4d"


@pytest.fixture
def known_run(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(cli.commands.run, "make_run_id", lambda: RUN)
    monkeypatch.setattr(cli.aws.follow, "EMPTY_FOR_LOCAL_S", 0.2)
    monkeypatch.setattr(cli.aws.follow, "SHORTEST_PAUSE_S", 0.05)
    return RUN


def test_run_ids_sort_by_time_and_have_the_agreed_form() -> None:
    early, late = datetime(2026, 11, 21, 6, 52, tzinfo=UTC), datetime(2026, 11, 21, 6, 53, tzinfo=UTC)
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", make_run_id())
    assert make_run_id(early) < make_run_id(late)
    assert make_run_id(early) != make_run_id(early)


def test_run_without_companies_says_so(product: Product) -> None:
    result = product.invoke("run")
    assert result.stdout == ""
    assert "no companies" in result.stderr
    assert product.json("run", "--wait") == {"run": None, "companies": 0}


def test_run_starts_dispatch(product: Product, known_run: str) -> None:
    product.add("Nike")
    product.add_dispatch("1")
    assert product.json("run") == {"run": RUN, "companies": 1}
    assert f"Run {RUN} started for 1 company." in product.invoke("run").stdout


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("fails", "not allowed to sqs:SendMessage. Its log"), ("other", "unexpected answer")],
)
def test_failure_of_dispatch_is_told(product: Product, mode: str, expected: str) -> None:
    product.add("Nike")
    product.add_dispatch(mode)
    error = product.invoke("run", code=1).stderr
    assert expected in error
    assert error.count("\n") == 1


def test_missing_dispatch_function(product: Product) -> None:
    product.add("Nike")
    assert "deploy it again" in product.invoke("run", code=1).stderr


def test_wait_follows_to_the_end(product: Product, known_run: str) -> None:
    product.add_dispatch("150")
    names = [f"Company {number}" for number in range(150)]
    product.add(*names)
    work = product.client("sqs").send_message(QueueUrl=product.outputs["work_queue_url"], MessageBody="{}")
    assert work["MessageId"]

    def analyse() -> None:
        for number, name in enumerate(names):
            product.observe(name, RUN, "POSITIVE" if number % 3 else "NEGATIVE")

    thread = threading.Timer(0.5, analyse)
    thread.start()
    report = product.json("run", "--wait")
    thread.join()
    assert report.pop("seconds") >= 0.5
    assert report == {
        "run": RUN,
        "companies": 150,
        "observed": 150,
        "labels": {"POSITIVE": 100, "NEGATIVE": 50},
        "timed_out": False,
        "pending": [],
    }
    shown = product.invoke("run", "--wait").stdout
    assert re.search(r"POSITIVE +100\n", shown)
    assert f"Run {RUN}: 150 of 150 companies in " in shown


def test_companies_that_fail_are_named(product: Product, known_run: str) -> None:
    product.add_dispatch("8")
    product.add("Nike", *(f"Fails {number}" for number in range(6)), "Fails\n7")
    product.observe("Nike", RUN)
    result = product.invoke("run", "--wait", code=3)
    assert r"7 companies failed: Fails\n7, Fails 0, Fails 1, Fails 2, Fails 3 and 2 more." in result.stderr
    assert "nlp dead-letters list" in result.stderr
    assert "1 of 8 companies" in result.stdout
    as_json = product.invoke("run", "--wait", "--json", code=3)
    assert len(json.loads(as_json.stdout)["pending"]) == 7


def test_time_limit(product: Product, known_run: str) -> None:
    product.add_dispatch("1")
    product.add("Nike")
    product.client("sqs").send_message(QueueUrl=product.outputs["work_queue_url"], MessageBody="{}")
    error = product.invoke("run", "--wait", "--timeout", "1s", code=1).stderr
    assert "Time is up and 1 of 1 company not yet observed; the run goes on" in error


@pytest.mark.parametrize("timeout", ["soon", "0m", "-5m", "1.5h"])
def test_bad_time_limit(product: Product, timeout: str) -> None:
    assert "30m" in product.invoke("run", "--wait", "--timeout", timeout, code=2).stderr


class Clock:
    """Seconds that pass only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def read(self) -> float:
        return self.now


@pytest.fixture
def followed(product: Product) -> Any:
    from cli.aws.deployment import Deployment

    deployment = Deployment(
        "dev", product.outputs, product.endpoint, {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    )

    def follow(companies: list[str], on_sleep: Any = lambda _: None, minutes: int = 15) -> Any:
        clock = Clock()
        follower = RunFollower(deployment, RUN, companies)

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            on_sleep(clock)

        outcome = follower.follow(timedelta(minutes=minutes), lambda _: None, sleep, clock.read)
        return outcome, clock

    return follow


def test_polls_become_rarer_while_nothing_happens_and_frequent_again(product: Product, followed: Any) -> None:
    product.client("sqs").send_message(QueueUrl=product.outputs["work_queue_url"], MessageBody="{}")

    def observe_at_20_polls(clock: Clock) -> None:
        if len(clock.pauses) == 20:
            product.observe("A", RUN)
        if len(clock.pauses) == 22:
            product.observe("B", RUN)

    outcome, clock = followed(["A", "B"], observe_at_20_polls)
    assert outcome.labels == Counter(POSITIVE=2)
    assert clock.pauses[:3] == pytest.approx([0.3, 0.45, 0.675])
    assert clock.pauses[18] == 5.0
    assert clock.pauses[20] == 0.2


def test_an_empty_queue_must_stay_empty_before_companies_count_as_failed(product: Product, followed: Any) -> None:
    client, queue = product.client("sqs"), product.outputs["work_queue_url"]

    def fill_late(clock: Clock) -> None:
        if len(clock.pauses) == 3:
            client.send_message(QueueUrl=queue, MessageBody="{}", DelaySeconds=600)
        if len(clock.pauses) == 12:
            product.observe("A", RUN)

    outcome, _ = followed(["A"], fill_late)
    assert outcome.pending == []
    assert not outcome.timed_out


def test_a_claim_is_not_yet_an_observation(product: Product, followed: Any) -> None:
    claim = {"company": {"S": "A"}, "record": {"S": RUN}, "claimed_until": {"N": "1"}}
    product.client("dynamodb").put_item(TableName=product.outputs["observations_table"], Item=claim)
    product.client("sqs").send_message(QueueUrl=product.outputs["work_queue_url"], MessageBody="{}")
    outcome, clock = followed(["A"], lambda clock: product.observe("A", RUN) if len(clock.pauses) == 3 else None)
    assert outcome.labels == Counter(POSITIVE=1)
    assert len(clock.pauses) == 3


def test_messages_in_flight_keep_a_run_alive(product: Product, followed: Any) -> None:
    client, queue = product.client("sqs"), product.outputs["work_queue_url"]
    client.send_message(QueueUrl=queue, MessageBody="{}")
    client.receive_message(QueueUrl=queue, VisibilityTimeout=600)
    outcome, clock = followed(["A"], minutes=2)
    assert outcome.timed_out
    assert clock.now == pytest.approx(120)
