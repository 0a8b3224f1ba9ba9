"""Alarms: one form for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


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
    name: str,
    *,
    description: str,
    metric: Metric,
    threshold: float,
    alarm_topics: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
    period_seconds: int = 300,
    periods: int = 1,
) -> aws.cloudwatch.MetricAlarm:
    """Raise an alarm when a metric exceeds a threshold; a metric without data is healthy.

    Parameters
    ----------
    name
        Name; the alarm's logical and physical names start with the stack's name and this one.
    description
        What has happened and what to do, for whoever is on call.
    metric
        The metric.
    threshold
        Highest healthy value.
    alarm_topics
        ARNs of the SNS topics that are notified when the alarm starts and when it ends.
    opts
        Options of the alarm.
    period_seconds, periods
        Length of a period, and how many in a row have to exceed the threshold.
    """
    is_percentile = metric.statistic.startswith("p")
    return aws.cloudwatch.MetricAlarm(
        # Several stacks may share an account, and whoever is on call sees this name alone.
        f"{pulumi.get_stack()}-{name}",
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
        alarm_actions=list(alarm_topics),
        ok_actions=list(alarm_topics),
        opts=opts,
    )
