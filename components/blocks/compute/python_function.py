"""PythonFunction: a Lambda function with a role, a log and alarms of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.blocks.access.arns import account_of
from components.blocks.access.grants import Uses, granted_environment, granted_permissions
from components.blocks.access.permissions import Permission
from components.blocks.access.role import Role
from components.blocks.access.tls import require_tls
from components.blocks.compute.bundle import ROOT, code_bundle
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.resources import child

FAILURE_DAYS = 14
_DAY = 86_400


class PythonFunction(pulumi.ComponentResource):
    """A Lambda function in Python. Its role may write logs and traces, and has the granted permissions.

    Parameters
    ----------
    name
        Logical name; the function's physical name starts with it.
    handler
        Path of its file, such as `handlers/sentiment/analyse.py`; the file has a function `handler`.
    defaults
        Defaults shared by all functions of the stack.
    uses
        Grants on resources by the environment variable that names the resource.
    permissions
        Permissions on services that have no resource to name.
    environment
        Further environment variables; no secrets.
    files
        Files to bundle beside the code: path in the bundle -> path in the project.
    timeout_seconds, memory_mb
        Limits; Lambda gives processor time in proportion to memory.
    reserved_concurrency
        Most invocations at the same time; limited only by the account when absent.
    watched_by_caller
        Whatever invokes the function has an alarm that tells of its failures, so it has none of its own.
    asynchronous
        The function is invoked asynchronously. Events that fail in every attempt move to a queue (`failures_url`).
    invokes_itself
        The function may invoke itself.

    Attributes
    ----------
    name, arn
        Name and ARN of the function.
    failures_url
        URL of the queue of failed asynchronous invocations; `None` where the function is not asynchronous.

    Raises
    ------
    ValueError
        An environment variable is given twice.
    """

    def __init__(
        self,
        name: str,
        *,
        handler: str,
        defaults: FunctionDefaults | None = None,
        uses: Uses | None = None,
        permissions: Sequence[Permission] = (),
        environment: Mapping[str, pulumi.Input[str]] | None = None,
        files: Mapping[str, str] | None = None,
        timeout_seconds: int = 30,
        memory_mb: int = 256,
        reserved_concurrency: int | None = None,
        watched_by_caller: bool = False,
        asynchronous: bool = False,
        invokes_itself: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:PythonFunction", name, {}, opts)
        defaults = defaults or FunctionDefaults()
        logs = aws.cloudwatch.LogGroup(name, retention_in_days=defaults.log_retention_days, opts=child(self))
        failures = self._failures(name) if asynchronous else None
        role = Role(
            name,
            service="lambda.amazonaws.com",
            account=account_of(logs.arn),
            permissions=[*_platform(logs, failures, defaults), *granted_permissions(uses or {}), *permissions],
            opts=child(self),
        )
        function = aws.lambda_.Function(
            name,
            runtime=defaults.runtime,
            architectures=[defaults.architecture],
            handler=f"{handler.removesuffix('.py').replace('/', '.')}.handler",
            code=_code(handler, files or {}),
            layers=defaults.layer_arns(),
            role=role.arn,
            timeout=timeout_seconds,
            memory_size=memory_mb,
            reserved_concurrent_executions=reserved_concurrency,
            environment=_variables(name, defaults, granted_environment(uses or {}), environment or {}),
            logging_config=_logging_config(logs),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active" if defaults.tracing else "PassThrough"),
            opts=child(self, depends_on=[role.policy]),
        )
        self.name, self.arn = function.name, function.arn
        self.failures_url = failures.url if failures else None
        if failures:
            self._send_failures_to(name, failures)
        if invokes_itself:
            # A second policy: the function waits for the role's first one, which therefore cannot name the function.
            permission = Permission(["lambda:InvokeFunction"], [self.arn])
            role.add_policy(f"{name}-itself", permissions=[permission], opts=child(self))
        if not watched_by_caller:
            self._watch(name, failures, defaults.alarm_topics)
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _failures(self, name: str) -> aws.sqs.Queue:
        queue = aws.sqs.Queue(
            f"{name}-failures",
            message_retention_seconds=FAILURE_DAYS * _DAY,
            sqs_managed_sse_enabled=True,
            opts=child(self),
        )
        require_tls(f"{name}-failures", queue=queue, opts=child(self))
        return queue

    def _send_failures_to(self, name: str, failures: aws.sqs.Queue) -> None:
        aws.lambda_.FunctionEventInvokeConfig(
            name,
            function_name=self.name,
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=3600,
            destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
                on_failure=aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(destination=failures.arn)
            ),
            opts=child(self),
        )

    def _watch(self, name: str, failures: aws.sqs.Queue | None, alarm_topics: Sequence[pulumi.Input[str]]) -> None:
        dimensions = {"FunctionName": self.name}
        alarm_above(
            f"{name}-errors",
            description="An invocation failed or ran out of time. Its log has the reason.",
            metric=Metric("AWS/Lambda", "Errors", dimensions, "Sum"),
            threshold=0,
            alarm_topics=alarm_topics,
            opts=child(self),
        )
        alarm_above(
            f"{name}-throttles",
            description="Invocations were refused: a concurrency limit, the function's or the account's, is too low.",
            metric=Metric("AWS/Lambda", "Throttles", dimensions, "Sum"),
            threshold=0,
            alarm_topics=alarm_topics,
            opts=child(self),
        )
        if failures:
            alarm_above(
                f"{name}-failures",
                description="An asynchronous invocation failed in every attempt; "
                "the queue of failures has its event and reason.",
                metric=Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": failures.name}, "Maximum"),
                threshold=0,
                alarm_topics=alarm_topics,
                opts=child(self),
            )


def _platform(
    logs: aws.cloudwatch.LogGroup, failures: aws.sqs.Queue | None, defaults: FunctionDefaults
) -> list[Permission]:
    """Permissions that Lambda itself needs to run the function."""
    # Lambda names the streams of a function's own log group, which is all that `:*` stands for.
    logging = Permission(["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.concat(logs.arn, ":*")])
    tracing = Permission(
        ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        ["*"],
        why_any_resource="AWS X-Ray offers no resource-level permission for sending traces",
    )
    sending = [Permission(["sqs:SendMessage"], [failures.arn])] if failures else []
    return [logging, *([tracing] if defaults.tracing else []), *sending]


def _code(handler: str, files: Mapping[str, str]) -> pulumi.AssetArchive:
    bundle = code_bundle(handler)
    further = {name: pulumi.FileAsset(str(ROOT / path)) for name, path in files.items()}
    if missing := [path for path in files.values() if not (ROOT / Path(path)).is_file()]:
        raise FileNotFoundError(f"No file {missing[0]}: files are named by their paths in the project")
    assets = {**bundle.assets, **further}
    return pulumi.AssetArchive({name: assets[name] for name in sorted(assets)})


def _variables(
    name: str,
    defaults: FunctionDefaults,
    granted: Mapping[str, pulumi.Input[str]],
    further: Mapping[str, pulumi.Input[str]],
) -> aws.lambda_.FunctionEnvironmentArgs:
    if twice := sorted(granted.keys() & further.keys()):
        raise ValueError(f"Function {name}: {', '.join(twice)} is both in uses and in environment")
    variables = {"LOG_LEVEL": defaults.log_level, **granted, **further}
    return aws.lambda_.FunctionEnvironmentArgs(variables=variables)


def _logging_config(logs: aws.cloudwatch.LogGroup) -> aws.lambda_.FunctionLoggingConfigArgs:
    return aws.lambda_.FunctionLoggingConfigArgs(
        log_format="JSON",
        log_group=logs.name,
        system_log_level="WARN",
        application_log_level="DEBUG",  # the functions' own logger chooses; Lambda would drop metric lines
    )
