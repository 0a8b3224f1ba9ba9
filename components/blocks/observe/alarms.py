"""Alarms: one form for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import child_of


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric.

    Attributes
    ----------
    namespace, name, dimensions
        As CloudWatch lists them.
    statistic
        `Sum`, `Maximum`, `Average` or `Minimum` of a period, or a percentile such as `p99`.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str


def alarm_above(
    parent: pulumi.Resource,
    name: str,
    description: str,
    metric: Metric,
    threshold: float,
    notify: Sequence[pulumi.Input[str]],
    period_seconds: int = 300,
    periods: int = 1,
) -> aws.cloudwatch.MetricAlarm:
    """Raise an alarm when a metric exceeds a threshold; a metric without data is healthy.

    Parameters
    ----------
    parent
        The component that the alarm belongs to.
    name
        The alarm's name starts with it.
    description
        What has happened and what to do, for whoever is woken by it.
    metric
        What is watched.
    threshold
        Highest value that is healthy.
    notify
        ARNs of the SNS topics that are told, also when the alarm ends.
    period_seconds, periods
        Length of a period, and how many in a row have to exceed the threshold.
    """
    is_percentile = metric.statistic.startswith("p")
    return aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=description,
        namespace=metric.namespace,
        metric_name=metric.name,
        dimensions=metric.dimensions,
        statistic=None if is_percentile else metric.statistic,
        extended_statistic=metric.statistic if is_percentile else None,
        comparison_operator="GreaterThanThreshold",
        threshold=threshold,
        period=period_seconds,
        evaluation_periods=periods,
        treat_missing_data="notBreaching",
        alarm_actions=list(notify),
        ok_actions=list(notify),
        opts=child_of(parent),
    )
