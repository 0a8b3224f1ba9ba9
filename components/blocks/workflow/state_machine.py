"""StateMachine: a Step Functions state machine with a role, a log and alarms of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import pulumi
import pulumi_aws as aws

from components.blocks.access.arns import account_of
from components.blocks.access.grants import Grant, check_actions
from components.blocks.access.permissions import Permission
from components.blocks.access.role import Role
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.resources import child
from components.blocks.workflow.states import State, definition, permissions_of

MachineAction = Literal["DescribeExecution", "StartExecution", "StopExecution"]


class StateMachine(pulumi.ComponentResource):
    """A state machine of type Standard, whose role has the permissions that its states need and no others.

    Express machines end after five minutes and cannot wait for jobs. Standard machines also start only one execution
    per name. They are billed by state transition: a few cents per hundred executions. Only errors are logged, without
    data, because Step Functions keeps the history of each execution for 90 days.

    Parameters
    ----------
    name
        The state machine's name starts with it.
    reason
        Purpose of the machine.
    start
        Name of the first state.
    states
        By name.
    timeout_seconds
        Longest time an execution may take.
    log_retention_days
        Days that its log is kept.
    tracing
        Trace executions with AWS X-Ray.
    alarm_topics
        ARNs of SNS topics that alarms are sent to.
    after
        Further resources that executions need; the state machine is created after them.

    Attributes
    ----------
    name, arn
        Name and ARN of the state machine.
    """

    def __init__(
        self,
        name: str,
        *,
        reason: str,
        start: str,
        states: Mapping[str, State],
        timeout_seconds: int,
        log_retention_days: int = 30,
        tracing: bool = True,
        alarm_topics: Sequence[pulumi.Input[str]] = (),
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:StateMachine", name, {}, opts)
        logs = aws.cloudwatch.LogGroup(name, retention_in_days=log_retention_days, opts=child(self))
        role = Role(
            name,
            service="states.amazonaws.com",
            account=account_of(logs.arn),
            permissions=[_delivering_logs(), *([_tracing()] if tracing else []), *permissions_of(states)],
            opts=child(self),
        )
        machine = aws.sfn.StateMachine(
            name,
            type="STANDARD",
            role_arn=role.arn,
            definition=pulumi.Output.json_dumps(definition(reason, start, states, timeout_seconds)),
            # Step Functions wants a group with `:*`, its streams.
            logging_configuration=aws.sfn.StateMachineLoggingConfigurationArgs(
                level="ERROR", include_execution_data=False, log_destination=pulumi.Output.concat(logs.arn, ":*")
            ),
            tracing_configuration=aws.sfn.StateMachineTracingConfigurationArgs(enabled=tracing),
            opts=child(self, depends_on=[role.policy, *after]),
        )
        self.name, self.arn = machine.name, machine.arn
        self._watch(name, alarm_topics)
        self.register_outputs({"name": self.name, "arn": self.arn})

    def grant(self, *actions: MachineAction) -> Grant:
        """Grant starting, reading or stopping executions; the grant's value is the state machine's ARN.

        Parameters
        ----------
        actions
            Names of Step Functions' actions.

        Raises
        ------
        ValueError
            No or unknown actions.
        """
        check_actions(f"State machine {self.pulumi_resource_name}", actions, get_args(MachineAction))
        permissions = []
        if "StartExecution" in actions:
            permissions.append(Permission(["states:StartExecution"], [self.arn]))
        if on_executions := [f"states:{action}" for action in actions if action != "StartExecution"]:
            permissions.append(Permission(on_executions, [self.arn.apply(_executions)]))
        return Grant(tuple(permissions), self.arn)

    def _watch(self, name: str, alarm_topics: Sequence[pulumi.Input[str]]) -> None:
        happened = {
            "failed": ("ExecutionsFailed", "An execution failed; its history in Step Functions has the cause."),
            "timed-out": (
                "ExecutionsTimedOut",
                "An execution ran out of time before any state did, and recorded nothing: see its history.",
            ),
            "throttled": (
                "ExecutionThrottled",
                "Executions were slowed down: the account's Step Functions quota is too low.",
            ),
        }
        for suffix, (metric, description) in happened.items():
            alarm_above(
                f"{name}-{suffix}",
                description=description,
                metric=Metric("AWS/States", metric, {"StateMachineArn": self.arn}, "Sum"),
                threshold=0,
                alarm_topics=alarm_topics,
                opts=child(self),
            )


def _executions(machine: str) -> str:
    """Make the ARN that matches all executions of a machine; they are named after jobs, which are not known yet."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:*"


def _delivering_logs() -> Permission:
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    return Permission(
        [
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        ["*"],
        why_any_resource="CloudWatch Logs offers no resource-level permission for log deliveries",
    )


def _tracing() -> Permission:
    # https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html
    return Permission(
        [
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ],
        ["*"],
        why_any_resource="AWS X-Ray offers no resource-level permission for sending traces",
    )
