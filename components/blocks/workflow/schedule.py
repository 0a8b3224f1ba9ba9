"""Schedule: an EventBridge rule that starts a function or a state machine, with retries and an alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.blocks.access.arns import account_of
from components.blocks.access.role import Role
from components.blocks.compute.python_function import PythonFunction
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.workflow.state_machine import StateMachine

_RETRY_SECONDS = 3600
_RETRY_ATTEMPTS = 10


class Schedule:
    """A rule that starts its target at the times of an expression.

    The function's policy lets EventBridge invoke it; a role lets EventBridge start a state machine. An invocation
    that EventBridge could not deliver is retried for an hour; when all attempts have failed, the alarm is raised. The
    resources are children of `opts.parent`.

    Parameters
    ----------
    name
        Logical name of the resources.
    expression
        EventBridge's `rate(...)` or `cron(...)`.
    target
        Function or state machine.
    description
        What the rule does, for whoever reads the list of rules.
    input
        Event or input of the execution; EventBridge's own event when absent.
    enabled
        Whether the rule starts its target at all.
    role
        Role that starts the state machine, if several schedules share one; created when absent.
    alarm_name
        Logical name of the alarm.
    alarm_topics
        ARNs of SNS topics that the alarm is sent to.
    opts
        Options of the resources.
    """

    def __init__(
        self,
        name: str,
        *,
        expression: pulumi.Input[str],
        target: PythonFunction | StateMachine,
        description: str,
        input: Mapping[str, pulumi.Input[str]] | None = None,  # noqa: A002 - EventBridge's word
        enabled: bool = True,
        role: Role | None = None,
        alarm_name: str | None = None,
        alarm_topics: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions,
    ) -> None:
        rule = aws.cloudwatch.EventRule(
            name,
            description=description,
            schedule_expression=expression,
            state="ENABLED" if enabled else "DISABLED",
            opts=opts,
        )
        if isinstance(target, StateMachine):
            role = role or self._role(name, target, opts)
        allowed = role.policy if role else self._permission(name, rule, target, opts)
        aws.cloudwatch.EventTarget(
            name,
            rule=rule.name,
            arn=target.arn,
            role_arn=role.arn if role else None,
            input=pulumi.Output.json_dumps(input) if input is not None else None,
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=_RETRY_SECONDS, maximum_retry_attempts=_RETRY_ATTEMPTS
            ),
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[allowed])),
        )
        alarm_above(
            alarm_name or name,
            description="EventBridge could not start the target of a schedule in any attempt: "
            "see whether the target is there, and EventBridge's permission or role.",
            metric=Metric("AWS/Events", "FailedInvocations", {"RuleName": rule.name}, "Sum"),
            threshold=0,
            alarm_topics=alarm_topics,
            opts=opts,
        )

    @staticmethod
    def _role(name: str, machine: StateMachine, opts: pulumi.ResourceOptions) -> Role:
        return Role(
            name,
            service="events.amazonaws.com",
            account=account_of(machine.arn),
            permissions=machine.grant("StartExecution").permissions,
            opts=opts,
        )

    @staticmethod
    def _permission(
        name: str, rule: aws.cloudwatch.EventRule, target: PythonFunction | StateMachine, opts: pulumi.ResourceOptions
    ) -> aws.lambda_.Permission:
        return aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=target.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=opts,
        )
