"""Creators of EventBridge rules, and of CloudWatch logs and alarms."""

from __future__ import annotations

from local.deploy.creators.common import Context, Created, Creator, Inputs, only, parts


def _log_group(context: Context, inputs: Inputs) -> Created:
    logs = context.client("logs")
    logs.create_log_group(logGroupName=context.unique)
    logs.put_retention_policy(logGroupName=context.unique, retentionInDays=int(inputs["retentionInDays"]))
    groups = logs.describe_log_groups(logGroupNamePrefix=context.unique)["logGroups"]
    return context.unique, {"name": context.unique, "arn": groups[0]["arn"].removesuffix(":*")}


def _rule(context: Context, inputs: Inputs) -> Created:
    arn = context.client("events").put_rule(
        Name=context.unique,
        ScheduleExpression=inputs["scheduleExpression"],
        State=inputs["state"],
        Description=inputs["description"],
    )["RuleArn"]
    return context.unique, {"name": context.unique, "arn": arn}


def _rule_target(context: Context, inputs: Inputs) -> Created:
    names = ("arn", "deadLetterConfig", "input", "inputPath", "retryPolicy", "roleArn")
    target = {"Id": inputs.get("targetId") or context.unique, **parts(inputs, *names)}
    context.client("events").put_targets(Rule=inputs["rule"], Targets=[target])
    return target["Id"], {}


def _alarm(context: Context, inputs: Inputs) -> Created:
    context.client("cloudwatch").put_metric_alarm(
        AlarmName=context.unique,
        AlarmDescription=inputs["alarmDescription"],
        Namespace=inputs["namespace"],
        MetricName=inputs["metricName"],
        Dimensions=[{"Name": name, "Value": value} for name, value in inputs["dimensions"].items()],
        **only(inputs, statistic="Statistic", extendedStatistic="ExtendedStatistic"),
        ComparisonOperator=inputs["comparisonOperator"],
        Threshold=float(inputs["threshold"]),
        Period=int(inputs["period"]),
        EvaluationPeriods=int(inputs["evaluationPeriods"]),
        TreatMissingData=inputs["treatMissingData"],
        AlarmActions=list(inputs["alarmActions"]),
        OKActions=list(inputs["okActions"]),
    )
    return context.unique, {"name": context.unique}


CREATORS: dict[str, Creator] = {
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _rule_target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
}
