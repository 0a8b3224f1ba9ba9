"""SQS feeds Lambda as on AWS: full batches, batching windows, limited concurrency, dead letters."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws.embedded_aws import ACCOUNT_ID, EmbeddedAws
from tests.integration.noting_function import NotingFunction, send, wait_until


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws


def test_batches_are_full_or_as_old_as_the_window(aws: EmbeddedAws, tmp_path: Path) -> None:
    queue = aws.client("sqs").create_queue(QueueName="window")["QueueUrl"]
    function = NotingFunction(aws, "window", tmp_path)
    function.feed("window", BatchSize=25, MaximumBatchingWindowInSeconds=2)
    send(aws, queue, 30)
    wait_until(lambda: sum(note["messages"] for note in function.notes()) == 30)
    first, second = function.notes()
    assert (first["messages"], second["messages"]) == (25, 5)
    assert first["started"] - first["oldest"] < 2
    assert 2 <= second["started"] - second["oldest"] < 3


def test_concurrency_is_limited(aws: EmbeddedAws, tmp_path: Path) -> None:
    queue = aws.client("sqs").create_queue(QueueName="narrow")["QueueUrl"]
    function = NotingFunction(aws, "narrow", tmp_path, sleep=0.3)
    send(aws, queue, 30)
    function.feed("narrow", BatchSize=5, ScalingConfig={"MaximumConcurrency": 2})
    wait_until(lambda: sum(note["messages"] for note in function.notes()) == 30)
    notes = function.notes()
    at_once = [sum(n["started"] <= note["started"] < n["ended"] for n in notes) for note in notes]
    assert max(at_once) == 2


def test_messages_that_fail_reach_the_dead_letter_queue(aws: EmbeddedAws, tmp_path: Path) -> None:
    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{aws.region}:{ACCOUNT_ID}:dead", "maxReceiveCount": 2}
    attributes = {"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)}
    queue = sqs.create_queue(QueueName="failing", Attributes=attributes)["QueueUrl"]
    function = NotingFunction(aws, "failing", tmp_path)
    function.feed("failing", BatchSize=10)
    send(aws, queue, 1, "fail")
    names = ["ApproximateNumberOfMessages"]
    wait_until(lambda: sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=names)["Attributes"][names[0]] == "1")
    assert len(function.notes()) == 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_an_open_window_costs_no_processor_time(aws: EmbeddedAws, tmp_path: Path) -> None:
    queue = aws.client("sqs").create_queue(QueueName="patient")["QueueUrl"]
    NotingFunction(aws, "patient", tmp_path).feed("patient", BatchSize=100, MaximumBatchingWindowInSeconds=300)
    send(aws, queue, 30)

    def ticks() -> int:
        user, system = Path(f"/proc/{aws.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return int(user) + int(system)

    before = ticks()
    time.sleep(1)
    assert (ticks() - before) / os.sysconf("SC_CLK_TCK") < 0.25
