"""PythonFunction: a Lambda function with a role, a log and alarms of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, assumed_by, child_of, policy_document
from components.blocks.compute.bundle import code_bundle
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.storage.work_queue import require_tls

FAILURE_DAYS = 14
_DAY = 86_400


@dataclass(frozen=True)
class FunctionDefaults:
    """What all functions of a stack have in common.

    Attributes
    ----------
    runtime, architecture
        As Lambda names them.
    layers
        ARNs of the layers with their dependencies.
    log_retention_days, log_level
        Of their logs.
    tracing
        Trace requests with AWS X-Ray.
    notify
        ARNs of SNS topics that alarms are sent to.
    """

    runtime: str
    architecture: str
    layers: Sequence[pulumi.Input[str]] = ()
    log_retention_days: int = 30
    log_level: str = "INFO"
    tracing: bool = True
    notify: Sequence[pulumi.Input[str]] = ()


class PythonFunction(pulumi.ComponentResource):
    """A Lambda function.

    Parameters
    ----------
    name
        The function's name starts with it.
    handler
        Path of its file, such as `handlers/sentiment/analyse.py`; the file has a function `handler`.
    defaults
        What it has in common with the stack's other functions.
    allow
        All that it may do, besides logging and tracing.
    environment
        Its environment variables; no secrets.
    timeout_seconds, memory_mb
        Its limits; Lambda gives processor time in proportion to memory.
    reserved_concurrency
        At most this many invocations at once, where that protects something.
    asynchronous
        It is invoked asynchronously: what fails in every attempt lands in a queue, `failures_url`.
    invokes_itself
        It may invoke itself.

    Attributes
    ----------
    name, arn
        Of the function.
    failures_url
        Of the queue of failed asynchronous invocations, where there is one.
    """

    def __init__(
        self,
        name: str,
        handler: str,
        defaults: FunctionDefaults,
        allow: Sequence[Permission] = (),
        environment: Mapping[str, pulumi.Input[str]] | None = None,
        timeout_seconds: int = 30,
        memory_mb: int = 256,
        reserved_concurrency: int | None = None,
        asynchronous: bool = False,
        invokes_itself: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:PythonFunction", name, {}, opts)
        logs = aws.cloudwatch.LogGroup(name, retention_in_days=defaults.log_retention_days, opts=child_of(self))
        failures = self._failures(name) if asynchronous else None
        platform = [_logging(logs)] + ([_tracing()] if defaults.tracing else [])
        platform += [Permission(["sqs:SendMessage"], [failures.arn])] if failures else []
        role, policy = self._role(name, [*platform, *allow])
        function = self._function(
            name,
            handler,
            defaults,
            role,
            policy,
            logs,
            environment or {},
            timeout_seconds,
            memory_mb,
            reserved_concurrency,
        )
        self.name, self.arn = function.name, function.arn
        self.failures_url = failures.url if failures else None
        if failures:
            self._send_failures_to(name, failures)
        if invokes_itself:
            self._let_invoke_itself(name, role)
        self._watch(name, failures, defaults.notify)
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _failures(self, name: str) -> aws.sqs.Queue:
        queue = aws.sqs.Queue(
            f"{name}-failures",
            message_retention_seconds=FAILURE_DAYS * _DAY,
            sqs_managed_sse_enabled=True,
            opts=child_of(self),
        )
        require_tls(self, f"{name}-failures", queue)
        return queue

    def _role(self, name: str, permissions: Sequence[Permission]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(name, assume_role_policy=assumed_by("lambda.amazonaws.com"), opts=child_of(self))
        policy = aws.iam.RolePolicy(name, role=role.name, policy=policy_document(permissions), opts=child_of(self))
        return role, policy

    def _function(
        self,
        name: str,
        handler: str,
        defaults: FunctionDefaults,
        role: aws.iam.Role,
        policy: aws.iam.RolePolicy,
        logs: aws.cloudwatch.LogGroup,
        environment: Mapping[str, pulumi.Input[str]],
        timeout_seconds: int,
        memory_mb: int,
        reserved_concurrency: int | None,
    ) -> aws.lambda_.Function:
        return aws.lambda_.Function(
            name,
            runtime=defaults.runtime,
            architectures=[defaults.architecture],
            handler=f"{handler.removesuffix('.py').replace('/', '.')}.handler",
            code=code_bundle(handler),
            layers=list(defaults.layers),
            role=role.arn,
            timeout=timeout_seconds,
            memory_size=memory_mb,
            reserved_concurrent_executions=reserved_concurrency,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables={"LOG_LEVEL": defaults.log_level, **environment}),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                log_group=logs.name,
                system_log_level="WARN",
                application_log_level="DEBUG",  # the functions' own logger chooses; Lambda would drop metric lines
            ),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active" if defaults.tracing else "PassThrough"),
            opts=child_of(self, depends_on=[policy]),
        )

    def _send_failures_to(self, name: str, failures: aws.sqs.Queue) -> None:
        aws.lambda_.FunctionEventInvokeConfig(
            name,
            function_name=self.name,
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=3600,
            destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
                on_failure=aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(destination=failures.arn)
            ),
            opts=child_of(self),
        )

    def _let_invoke_itself(self, name: str, role: aws.iam.Role) -> None:
        # A policy of its own: the function waits for its role's first policy, which therefore cannot name it.
        permission = Permission(["lambda:InvokeFunction"], [self.arn])
        aws.iam.RolePolicy(f"{name}-itself", role=role.name, policy=policy_document([permission]), opts=child_of(self))

    def _watch(self, name: str, failures: aws.sqs.Queue | None, notify: Sequence[pulumi.Input[str]]) -> None:
        dimensions = {"FunctionName": self.name}
        alarm_above(
            self,
            f"{name}-errors",
            "An invocation failed or ran out of time. Its log has the reason.",
            Metric("AWS/Lambda", "Errors", dimensions, "Sum"),
            0,
            notify,
        )
        alarm_above(
            self,
            f"{name}-throttles",
            "Invocations were refused: a concurrency limit, the function's or the account's, is too low.",
            Metric("AWS/Lambda", "Throttles", dimensions, "Sum"),
            0,
            notify,
        )
        if failures:
            alarm_above(
                self,
                f"{name}-failures",
                "An asynchronous invocation failed in every attempt; the queue of failures has its event and reason.",
                Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": failures.name}, "Maximum"),
                0,
                notify,
            )


def _logging(logs: aws.cloudwatch.LogGroup) -> Permission:
    # Lambda names the streams of a function's own log group, which is all that `:*` stands for.
    return Permission(["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.concat(logs.arn, ":*")])


def _tracing() -> Permission:
    return Permission(
        ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        ["*"],
        why_any_resource="AWS X-Ray offers no resource-level permission for sending traces",
    )
