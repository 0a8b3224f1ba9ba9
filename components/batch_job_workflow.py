"""BatchJobWorkflow: turns a kind of job into a state machine that runs it on Amazon SageMaker and keeps its record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import (
    Permission,
    account_of,
    assumed_by,
    child_of,
    policy_document,
    region_of,
)
from components.blocks.compute.program import BatchProgram
from components.blocks.observe.alarms import Metric, alarm_above
from components.blocks.observe.notifications import Notifications
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.workflow import batch_definition
from components.blocks.workflow.batch_definition import BatchDefinition, RetryPolicy
from components.blocks.workflow.job_records import JobRecords
from components.blocks.workflow.processing_job import InputChannel, OutputChannel, ProcessingJob, creating, job_role
from components.blocks.workflow.state_machine import StateMachine

# SageMaker's names of jobs have at most 63 characters: `<kind>-<id of 36>-merge` and `<kind>-<id of 36>-<attempt>`.
MAX_KIND_LENGTH = 63 - len("--merge") - 36


@dataclass(frozen=True)
class JobSchedule:
    """Jobs that start by themselves.

    Attributes
    ----------
    label
        What its resources' names end in.
    expression
        When: EventBridge's `rate(...)` or `cron(...)`.
    project
        Id of the project.
    options
        The job's options, a JSON text.
    fields
        Further fields of the execution's input that name optional channels, such as `{"model": "opus-mt-en-de"}`.
    enabled
        Whether it starts jobs at all.
    """

    label: str
    expression: str
    project: str
    options: str = "{}"
    fields: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True


@dataclass(frozen=True)
class BatchJobWorkflowArgs:
    """What a workflow is given.

    Attributes
    ----------
    kind
        Of the jobs: lower-case letters, digits and hyphens, at most 20.
    table
        Where jobs are recorded, see `components/blocks/workflow/job_records.py`.
    bucket
        Where objects are.
    program
        What runs in the container.
    image
        Address of the container image in Amazon ECR; `prebuilt_image` knows SageMaker's own.
    inputs, output
        What a job reads and writes.
    instance_type, instance_count, volume_gb
        What a job runs on. Several instances share the inputs, and a second job puts their results together.
    time_limit_seconds
        Longest time a job may run.
    environment
        Variables of all jobs, 256 characters each at most; no secrets.
    allow
        What the program does besides reading inputs, writing outputs and logging.
    network_isolation
        The container reaches no network, not even AWS.
    kms_key
        ARN of the key of volumes and outputs; AWS's own when absent.
    retry
        How refusals and a lack of capacity are met.
    schedules
        Jobs that start by themselves.
    announce
        Who is told of failed jobs.
    log_retention_days, tracing
        Of executions.
    notify
        ARNs of SNS topics that alarms are sent to.
    """

    kind: str
    table: Table
    bucket: PrivateBucket
    program: BatchProgram
    image: pulumi.Input[str]
    inputs: Sequence[InputChannel]
    output: OutputChannel
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_gb: int = 30
    time_limit_seconds: int = 3600
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    allow: Sequence[Permission] = ()
    network_isolation: bool = False
    kms_key: pulumi.Input[str] | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    schedules: Sequence[JobSchedule] = ()
    announce: Notifications | None = None
    log_retention_days: int = 30
    tracing: bool = True
    notify: Sequence[pulumi.Input[str]] = ()

    def __post_init__(self) -> None:
        mistakes = []
        if not re.fullmatch(rf"[a-z][a-z0-9-]{{0,{MAX_KIND_LENGTH - 1}}}", self.kind):
            mistakes.append(f"kind {self.kind!r}: expected at most {MAX_KIND_LENGTH} of a-z, 0-9, -")
        if self.instance_count < 1:
            mistakes.append(f"instance_count {self.instance_count}: expected at least 1")
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingStoppingCondition.html
        if not 1 <= self.time_limit_seconds <= 604_800:
            mistakes.append(f"time_limit_seconds {self.time_limit_seconds}: expected 1 to 604800")
        if not self.inputs:
            mistakes.append("inputs: expected at least one channel")
        if mistakes:
            raise ValueError(f"Batch job workflow: {'; '.join(mistakes)}")


class BatchJobWorkflow(pulumi.ComponentResource):
    """A state machine for one kind of job: it records the start, runs the job on SageMaker and records the end.

    An execution is started with the job's id as its name, so that a start that is repeated does nothing, and with
    `{"project", "job", "environment", ...}` and a field for the address of each channel, see `batch_definition.py`.

    A program that ends with exit code 0 has completed the job. Has it nothing to deliver but a report, it also leaves
    an exit message (`/opt/ml/output/message`): the job has then failed for that reason, and its files are kept.

    Attributes
    ----------
    kind
        Of the jobs.
    machine
        The state machine; `starting()`, `describing_executions()` and `stopping()` are its permissions.
    """

    def __init__(self, name: str, args: BatchJobWorkflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloud-nlp:index:BatchJobWorkflow", name, {}, opts)
        self.kind = args.kind
        region, account = region_of(args.table.arn), account_of(args.table.arn)
        job = _processing_job(args)
        role, policy = job_role(self, f"{name}-job", job, region, account, args.allow)
        definition = BatchDefinition(
            job,
            role,
            creating(job, role, region),
            JobRecords(args.table, args.kind),
            region,
            args.retry,
            args.announce,
            has_schedules=bool(args.schedules),
        )
        self.machine = StateMachine(
            name,
            reason=f"Jobs of kind {args.kind}",
            start=batch_definition.START,
            states=definition.states(),
            timeout_seconds=definition.timeout_seconds(),
            log_retention_days=args.log_retention_days,
            tracing=args.tracing,
            alarm_topics=args.notify,
            after=[policy, args.program],
            opts=child_of(self),
        )
        if args.schedules:
            self._start_on_schedule(name, args)
        self.register_outputs({"state_machine": self.machine.arn})

    def _start_on_schedule(self, name: str, args: BatchJobWorkflowArgs) -> None:
        role = aws.iam.Role(
            f"{name}-schedule", assume_role_policy=assumed_by("events.amazonaws.com"), opts=child_of(self)
        )
        policy = aws.iam.RolePolicy(
            f"{name}-schedule",
            role=role.name,
            policy=policy_document([self.machine.starting()]),
            opts=child_of(self),
        )
        for schedule in args.schedules:
            self._schedule(f"{name}-{schedule.label}", schedule, role, policy, args.notify)

    def _schedule(
        self,
        name: str,
        schedule: JobSchedule,
        role: aws.iam.Role,
        policy: aws.iam.RolePolicy,
        notify: Sequence[pulumi.Input[str]],
    ) -> None:
        rule = aws.cloudwatch.EventRule(
            name,
            description=f"Starts jobs of kind {self.kind}",
            schedule_expression=schedule.expression,
            state="ENABLED" if schedule.enabled else "DISABLED",
            opts=child_of(self),
        )
        started_with = {"project": schedule.project, "options": schedule.options, **schedule.fields}
        aws.cloudwatch.EventTarget(
            name,
            rule=rule.name,
            arn=self.machine.arn,
            role_arn=role.arn,
            input=pulumi.Output.json_dumps(started_with),
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
            ),
            opts=child_of(self, depends_on=[policy]),
        )
        alarm_above(
            f"{name}-not-started",
            description="The schedule could not start a job in any attempt: see the permissions of its role.",
            metric=Metric("AWS/Events", "FailedInvocations", {"RuleName": rule.name}, "Sum"),
            threshold=0,
            alarm_topics=notify,
            opts=child_of(self),
        )


def _processing_job(args: BatchJobWorkflowArgs) -> ProcessingJob:
    return ProcessingJob(
        args.kind,
        args.image,
        args.bucket,
        args.program,
        args.inputs,
        args.output,
        args.instance_type,
        args.instance_count,
        args.volume_gb,
        args.time_limit_seconds,
        args.environment,
        args.network_isolation,
        args.kms_key,
    )
