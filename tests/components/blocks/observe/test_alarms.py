"""Alarms: one form for all of them."""

from __future__ import annotations

from typing import Any

import pulumi

from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.resources import child
from tests.support.pulumi_mocks import Evaluation, evaluate

METRIC = Metric("AWS/Lambda", "Errors", {"FunctionName": "analyse"}, "Sum")
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def declare(**arguments: Any) -> Evaluation:
    def build() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        alarm_above(
            "errors",
            description="It failed. Its log has the reason.",
            metric=METRIC,
            threshold=3,
            alarm_topics=["arn:a", "arn:b"],
            opts=child(parent),
            **arguments,
        )

    return evaluate(build)


def test_alarm_is_raised_above_the_threshold_and_tells_beginning_and_end() -> None:
    assert declare().one(ALARM).inputs == {
        "alarmDescription": "It failed. Its log has the reason.",
        "namespace": "AWS/Lambda",
        "metricName": "Errors",
        "dimensions": {"FunctionName": "analyse"},
        "statistic": "Sum",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 3,
        "period": 300,
        "evaluationPeriods": 1,
        "treatMissingData": "notBreaching",
        "alarmActions": ["arn:a", "arn:b"],
        "okActions": ["arn:a", "arn:b"],
    }


def test_periods_can_be_chosen() -> None:
    inputs = declare(period_seconds=60, periods=5).one(ALARM).inputs
    assert (inputs["period"], inputs["evaluationPeriods"]) == (60, 5)


def test_name_tells_the_stack() -> None:
    assert declare().one(ALARM).name == "dev-errors"


def test_alarm_belongs_to_the_component_that_it_watches() -> None:
    assert declare().children("test:index:Parent") == {ALARM: 1}


def test_percentiles_are_statistics_of_another_field() -> None:
    def build() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        alarm_above(
            "slow",
            description="It is slow.",
            metric=Metric("AWS/ApiGateway", "Latency", {"ApiId": "a"}, "p99"),
            threshold=3,
            alarm_topics=[],
            opts=child(parent),
        )

    inputs = evaluate(build).one(ALARM).inputs
    assert (inputs["extendedStatistic"], inputs.get("statistic")) == ("p99", None)
