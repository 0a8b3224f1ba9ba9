"""BatchJobWorkflow: a state machine that runs jobs of one kind on Amazon SageMaker and keeps their records."""

from __future__ import annotations

import pulumi

from components.blocks.access.arns import account_of, region_of
from components.blocks.access.role import Role
from components.blocks.resources import child
from components.blocks.workflow import batch_definition
from components.blocks.workflow.batch_definition import BatchDefinition
from components.blocks.workflow.batch_job_args import BatchJobWorkflowArgs, JobSchedule, RetryPolicy
from components.blocks.workflow.job_role import job_permissions
from components.blocks.workflow.schedule import Schedule
from components.blocks.workflow.state_machine import StateMachine
from schema.jobs import MAX_CHARACTERS_FIELD

__all__ = ["BatchJobWorkflow", "BatchJobWorkflowArgs", "JobSchedule", "RetryPolicy"]


class BatchJobWorkflow(pulumi.ComponentResource):
    """A state machine for one kind of job: it records the start, runs the job on SageMaker and records the end.

    An execution is started with the job's id as its name, so a repeated start does nothing, and with the input that
    `schema.jobs.execution_input` makes.

    A program that ends with exit code 0 has completed the job. If it also leaves an exit message
    (`/opt/ml/output/message`), it has delivered only a report: the job fails with that message as its cause, and its
    files are kept.

    Attributes
    ----------
    kind
        Kind of the jobs.
    machine
        The state machine.
    """

    def __init__(self, name: str, args: BatchJobWorkflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloud-nlp:index:BatchJobWorkflow", name, {}, opts)
        self.kind = args.kind
        role = self._job_role(f"{name}-job", args)
        self.machine = self._machine(name, args, role)
        self._start_on_schedule(name, args)
        self.register_outputs({"state_machine": self.machine.arn})

    def _job_role(self, name: str, args: BatchJobWorkflowArgs) -> Role:
        region, account = region_of(args.table.arn), account_of(args.table.arn)
        return Role(
            name,
            service="sagemaker.amazonaws.com",
            account=account,
            permissions=job_permissions(args, region=region, account=account),
            opts=child(self),
        )

    def _machine(self, name: str, args: BatchJobWorkflowArgs, role: Role) -> StateMachine:
        definition = BatchDefinition(args=args, role_arn=role.arn, region=region_of(args.table.arn))
        return StateMachine(
            name,
            reason=f"Jobs of kind {args.kind}",
            start=batch_definition.START,
            states=definition.states(),
            timeout_seconds=definition.timeout_seconds(),
            log_retention_days=args.log_retention_days,
            tracing=args.tracing,
            alarm_topics=args.alarm_topics,
            after=[role.policy, args.program],
            opts=child(self),
        )

    def _start_on_schedule(self, name: str, args: BatchJobWorkflowArgs) -> None:
        if not args.schedules:
            return
        role = Role(
            f"{name}-schedule",
            service="events.amazonaws.com",
            account=account_of(args.table.arn),
            permissions=self.machine.grant("StartExecution").permissions,
            opts=child(self),
        )
        for schedule in args.schedules:
            Schedule(
                f"{name}-{schedule.label}",
                expression=schedule.expression,
                target=self.machine,
                description=f"Starts jobs of kind {args.kind}",
                input={
                    "project": schedule.project,
                    "options": schedule.options,
                    MAX_CHARACTERS_FIELD: str(schedule.max_characters or args.max_characters),
                    **schedule.fields,
                },
                enabled=schedule.enabled,
                role=role,
                alarm_name=f"{name}-{schedule.label}-not-started",
                alarm_topics=args.alarm_topics,
                opts=child(self),
            )
