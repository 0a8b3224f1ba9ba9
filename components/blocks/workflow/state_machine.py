"""StateMachine: a Step Functions state machine with a role, a log and alarms of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, assumed_by, child_of, policy_document
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.workflow.states import State, definition, permissions_of


class StateMachine(pulumi.ComponentResource):
    """A state machine of type Standard, whose role may do what its states call and nothing else.

    Standard and not Express: Express ends after five minutes and cannot wait for jobs, and Standard starts nothing
    twice under one name. It is paid by state transition, a few cents for a hundred executions. Only errors are logged,
    and without data, since Step Functions itself keeps the history of each execution for 90 days.

    Parameters
    ----------
    name
        The state machine's name starts with it.
    reason
        What it is for.
    start
        Name of the first state.
    states
        By name.
    timeout_seconds
        Longest time an execution may take.
    log_retention_days
        Of its log.
    tracing
        Trace executions with AWS X-Ray.
    notify
        ARNs of SNS topics that alarms are sent to.
    after
        What executions need besides, and the state machine therefore waits for.

    Attributes
    ----------
    name, arn
        Of the state machine.
    """

    def __init__(
        self,
        name: str,
        reason: str,
        start: str,
        states: Mapping[str, State],
        timeout_seconds: int,
        log_retention_days: int = 30,
        tracing: bool = True,
        notify: Sequence[pulumi.Input[str]] = (),
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:StateMachine", name, {}, opts)
        logs = aws.cloudwatch.LogGroup(name, retention_in_days=log_retention_days, opts=child_of(self))
        role, policy = self._role(
            name, [_delivering_logs(), *([_tracing()] if tracing else []), *permissions_of(states)]
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
            opts=child_of(self, depends_on=[policy, *after]),
        )
        self.name, self.arn = machine.name, machine.arn
        self._watch(name, notify)
        self.register_outputs({"name": self.name, "arn": self.arn})

    def starting(self) -> Permission:
        """Start executions."""
        return Permission(["states:StartExecution"], [self.arn])

    def describing_executions(self) -> Permission:
        """Read how executions are."""
        return Permission(["states:DescribeExecution"], [self.arn.apply(_executions)])

    def stopping(self) -> Permission:
        """Stop executions."""
        return Permission(["states:StopExecution"], [self.arn.apply(_executions)])

    def _role(self, name: str, permissions: Sequence[Permission]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(name, assume_role_policy=assumed_by("states.amazonaws.com"), opts=child_of(self))
        policy = aws.iam.RolePolicy(name, role=role.name, policy=policy_document(permissions), opts=child_of(self))
        return role, policy

    def _watch(self, name: str, notify: Sequence[pulumi.Input[str]]) -> None:
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
                self,
                f"{name}-{suffix}",
                description,
                Metric("AWS/States", metric, {"StateMachineArn": self.arn}, "Sum"),
                0,
                notify,
            )


def _executions(machine: str) -> str:
    """Make the ARN of all executions out of the machine's: they are named by jobs, which are not known yet."""
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
