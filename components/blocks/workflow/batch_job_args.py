"""Arguments of a batch job workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

import pulumi

from components.blocks.access.permissions import Permission
from components.blocks.observe.notifications import Notifications
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.workflow.program import BatchProgram
from schema import defaults
from schema.job_kind import Channel
from schema.jobs import DOCUMENTS
from schema.limits import JOB_NAME_CHARACTERS, JOB_SECONDS

# SageMaker's names of jobs: `<kind>-<id>-merge` and `<kind>-<id>-<attempt>`, with an id of 36 characters.
MAX_KIND_LENGTH = JOB_NAME_CHARACTERS - 36 - len("--merge")


@dataclass(frozen=True)
class JobSchedule:
    """A schedule that starts jobs.

    Attributes
    ----------
    label
        Last part of its resources' names.
    expression
        EventBridge's `rate(...)` or `cron(...)`.
    project
        Id of the project.
    options
        Options of the jobs, as JSON.
    fields
        Values for the templates of optional channels, such as `{"model": "opus-mt-en-de"}`.
    enabled
        Whether the schedule starts jobs; false turns it off.
    """

    label: str
    _: KW_ONLY
    expression: str
    project: str
    options: str = "{}"
    fields: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Retries when SageMaker refuses a job or AWS has no capacity.

    Attributes
    ----------
    attempts
        Retries of a request that SageMaker refuses because of throttling.
    first_seconds, longest_seconds
        Longest delay before the first of these retries, in seconds, and before any of them; the delay doubles.
    capacity_attempts
        Attempts in all to create the job while no instance is free, on AWS or in the account's quota.
    capacity_seconds
        Seconds by which the wait for capacity grows with each attempt.
    """

    attempts: int = 8
    first_seconds: int = 15
    longest_seconds: int = 900
    capacity_attempts: int = 4
    capacity_seconds: int = 300


@dataclass(frozen=True, kw_only=True)
class BatchJobWorkflowArgs:
    """Arguments of a batch job workflow.

    Attributes
    ----------
    kind
        Kind of the jobs: lower-case letters, digits and hyphens, at most 20.
    table
        Table of the jobs' records, with the keys of `schema/projects.py`.
    bucket
        Bucket of inputs, results and programs.
    program
        Program that runs in the container.
    image
        Address of the container image in Amazon ECR; `prebuilt_image` knows SageMaker's own images.
    inputs
        Objects that jobs read besides the program; the documents of the project by default.
    instance_type, instance_count, volume_gb
        Instances of a job, and their disks. Several instances share the inputs, and a second job merges their results.
    time_limit_seconds
        Longest time a job may run.
    environment
        Environment variables of all jobs, at most 256 characters each; no secrets.
    permissions
        Permissions of the program besides reading inputs, writing results and logging.
    network_isolation
        The container has no network, not even to AWS.
    kms_key
        ARN of the KMS key for volumes and results; AWS's own keys when absent.
    retry
        Retries when SageMaker refuses a job or AWS has no capacity.
    schedules
        Schedules that start jobs.
    job_topic
        Topic that failed jobs are published to.
    alarm_topics
        ARNs of SNS topics that alarms are sent to.
    log_retention_days
        Days for which the log of executions is kept.
    tracing
        Trace executions with AWS X-Ray.
    """

    kind: str
    table: Table
    bucket: PrivateBucket
    program: BatchProgram
    image: pulumi.Input[str]
    inputs: Sequence[Channel] = (DOCUMENTS,)
    instance_type: str = defaults.INSTANCE_TYPE
    instance_count: int = defaults.INSTANCE_COUNT
    volume_gb: int = 30
    time_limit_seconds: int = 3600
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    permissions: Sequence[Permission] = ()
    network_isolation: bool = False
    kms_key: pulumi.Input[str] | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    schedules: Sequence[JobSchedule] = ()
    job_topic: Notifications | None = None
    alarm_topics: Sequence[pulumi.Input[str]] = ()
    log_retention_days: int = 30
    tracing: bool = True

    def __post_init__(self) -> None:
        mistakes = []
        if not re.fullmatch(rf"[a-z][a-z0-9-]{{0,{MAX_KIND_LENGTH - 1}}}", self.kind):
            mistakes.append(f"kind {self.kind!r}: expected at most {MAX_KIND_LENGTH} of a-z, 0-9, -")
        if self.instance_count < 1:
            mistakes.append(f"instance_count {self.instance_count}: expected at least 1")
        if not 1 <= self.time_limit_seconds <= JOB_SECONDS:
            mistakes.append(f"time_limit_seconds {self.time_limit_seconds}: expected 1 to {JOB_SECONDS}")
        if not self.inputs:
            mistakes.append("inputs: expected at least one channel")
        if mistakes:
            raise ValueError(f"Batch job workflow: {'; '.join(mistakes)}")

    @property
    def is_shared(self) -> bool:
        """Whether several instances share a job."""
        return self.instance_count > 1
