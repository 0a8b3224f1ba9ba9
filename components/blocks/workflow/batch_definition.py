"""The states of a batch job.

Prepare -> MarkRunning -> Process -> HasProcessed -> (Merge -> HasMerged ->) HasDelivered
                            | error                                           | yes         | no
                            v                                                 v             v
   (StopUnanswered <-) IsUnanswered                               MarkCompleted        Undelivered
                            | no                                              v             v
                            v                                         Completed        MarkFailed
                IsOutOfCapacity -> AwaitCapacity -> Process
                            | no
                            v
                MarkFailed -> IsOfDocuments -> (Notify ->) Failed
                                   | yes
                                   v
                            DocumentsFailed

With schedules: Prepare -> IsRegistered -> (Compose -> Register ->) MarkRunning

The variables are those of `execution.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi

from components.blocks.access.arns import account_of
from components.blocks.access.permissions import Permission
from components.blocks.workflow import failure_causes
from components.blocks.workflow.batch_endings import has_ended, notify
from components.blocks.workflow.batch_job_args import BatchJobWorkflowArgs
from components.blocks.workflow.execution import (
    ATTEMPT,
    CAUSE,
    ENVIRONMENT,
    INPUT,
    JOB,
    OF_DOCUMENTS,
    OUT_OF_CAPACITY,
    SUFFIX,
    UNANSWERED,
    WAS_CREATED,
)
from components.blocks.workflow.expressions import (
    Expression,
    all_of,
    call,
    exists,
    joined,
    jsonata,
    merged,
    text,
    value,
    when,
)
from components.blocks.workflow.job_records import JobRecords
from components.blocks.workflow.processing_job import (
    CREATE_AND_WAIT,
    STOP,
    create_permissions,
    job_arguments,
    processing_inputs,
)
from components.blocks.workflow.schedule_input import composed_input
from components.blocks.workflow.states import ANY_ERROR, Assign, Call, Catch, Choice, End, Retry, State, Wait
from schema.job_kind import Channel
from schema.jobs import ID_VARIABLE, KIND_VARIABLE, MERGE, OUTPUT_FIELD, PARTS_PREFIX
from schema.projects import RESULTS_PREFIX

START = "Prepare"
# Seconds for instances to start and pull the image, which SageMaker does not count as running time.
STARTING_SECONDS = 1800
# The parts that the instances of a job have stored, for the job that merges them.
_PARTS = Channel(name="parts", field="parts", prefix=RESULTS_PREFIX + PARTS_PREFIX)


# There is no such job, or it has ended.
_NOT_FOUND = Retry(["SageMaker.ResourceNotFoundException"], attempts=0)


@dataclass(frozen=True, kw_only=True)
class BatchDefinition:
    """The states of a kind's jobs.

    Attributes
    ----------
    args
        Arguments of the workflow.
    role_arn
        ARN of the jobs' role.
    region
        Region of the jobs.
    """

    args: BatchJobWorkflowArgs
    role_arn: pulumi.Output[str]
    region: pulumi.Output[str]

    def timeout_seconds(self) -> int:
        """Time limit of an execution in seconds: more than its states take, so that their own limits apply first."""
        retry = self.args.retry
        attempts = retry.capacity_attempts + 1
        creating = retry.attempts * retry.longest_seconds
        waiting = sum(range(attempts)) * retry.capacity_seconds
        return (attempts + 1) * (self._state_seconds() + creating) + waiting + 3600

    def states(self) -> dict[str, State]:
        """All states by name."""
        return {
            **self._starting(),
            **self._processing(),
            **(self._merging() if self.args.is_shared else {}),
            **self._ending(),
        }

    def _starting(self) -> dict[str, State]:
        program = self.args.program
        prepare = Assign(
            "Keeps what all later states need.",
            variables={
                "job": jsonata(INPUT),
                "program": self._address(program.prefix),
                **({"wheels": self._address(program.wheels_prefix)} if program.wheels_prefix else {}),
                "bucket": self.args.bucket.name,
                "environment": {**self.args.environment, "AWS_REGION": self.region, "STACK": pulumi.get_stack()},
                "attempt": 1,
                "suffix": "",
                "cause": "",
                "ofDocuments": False,
            },
            next="IsRegistered" if self.args.schedules else "MarkRunning",
        )
        mark_running = self._records.mark_running(then="Process", nothing_to_do="NothingToDo", failed="MarkFailed")
        registering = self._registering() if self.args.schedules else {}
        return {START: prepare, **registering, "MarkRunning": mark_running}

    def _address(self, prefix: str) -> pulumi.Output[str]:
        return pulumi.Output.concat("s3://", self.args.bucket.name, "/", prefix)

    def _registering(self) -> dict[str, State]:
        return {
            "IsRegistered": Choice(
                "The API records a job before it starts an execution; a schedule only starts an execution.",
                condition=exists(INPUT.field("job")),
                then="MarkRunning",
                otherwise="Compose",
            ),
            "Compose": Assign(
                "Makes the input with which the API would have started the execution.",
                variables={"job": jsonata(composed_input(self.args.inputs))},
                next="Register",
            ),
            "Register": self._records.register(then="MarkRunning", refused="Refuse"),
            "Refuse": self._records.record_refusal(then="NothingToDo"),
        }

    def _processing(self) -> dict[str, State]:
        retry = self.args.retry
        next_attempt = Expression(f"{ATTEMPT.code} + 1")
        # A name counts once: SageMaker keeps the job that it created before it found that AWS has no instance.
        next_suffix = when(WAS_CREATED, joined(text("-"), call("string", next_attempt)), SUFFIX)
        channels = {channel: JOB.field(channel.field) for channel in self.args.inputs}
        return {
            "Process": self._create(
                "Runs the job and waits for its end. The job's id is in its name, so it cannot be created twice.",
                suffix=SUFFIX,
                channels=channels,
                kind=self.args.kind,
                instance_count=self.args.instance_count,
                then="HasProcessed",
                may_be_repeated=True,
            ),
            "HasProcessed": has_ended("Merge" if self.args.is_shared else "HasDelivered"),
            "IsUnanswered": Choice(
                "An error of SageMaker's own may hide that it has created the job.",
                condition=Expression(f"{UNANSWERED.code} != ''"),
                then="StopUnanswered",
                otherwise="IsOutOfCapacity",
            ),
            "StopUnanswered": Call(
                "Stops a job whose creation was not answered, or with an error. Otherwise it would run, and be paid, "
                "beside the one that is started in its place.",
                resource=STOP,
                arguments={"ProcessingJobName": jsonata(UNANSWERED)},
                permissions=self._create_permissions,
                next="MarkFailed",
                retry=[_NOT_FOUND, Retry([ANY_ERROR], attempts=4, first_seconds=2, longest_seconds=30)],
                catch=[Catch([ANY_ERROR], next="MarkFailed")],
            ),
            "Stopped": Assign(
                "Says in words why a job was stopped.",
                variables={"cause": failure_causes.stopped(self.args.time_limit_seconds)},
                next="MarkFailed",
            ),
            "IsOutOfCapacity": Choice(
                "SageMaker refuses a job while others use the account's quota. Only after it has created a job, it "
                "finds that AWS has no free instance. Both are worth further attempts, any other failure is not.",
                condition=all_of(OUT_OF_CAPACITY, Expression(f"{ATTEMPT.code} < {retry.capacity_attempts}")),
                then="AwaitCapacity",
                otherwise="MarkFailed",
            ),
            "AwaitCapacity": Wait(
                "Waits for free instances, longer with each attempt. After a job that was created, the next needs "
                "another name.",
                seconds=Expression(f"{ATTEMPT.code} * {retry.capacity_seconds}"),
                next="Process",
                assign={"attempt": jsonata(next_attempt), "suffix": jsonata(next_suffix)},
            ),
        }

    def _merging(self) -> dict[str, State]:
        channels = {_PARTS: joined(JOB.field(OUTPUT_FIELD), text(PARTS_PREFIX))}
        return {
            "Merge": self._create(
                "Merges the results of all instances, on one instance.",
                suffix=text("-merge"),
                channels=channels,
                kind=MERGE,
                instance_count=1,
                then="HasMerged",
                may_be_repeated=False,
            ),
            "HasMerged": has_ended("HasDelivered"),
        }

    def _ending(self) -> dict[str, State]:
        topic = self.args.job_topic
        mark_failed = self._records.mark_failed(then="IsOfDocuments", nothing_to_do="NothingToDo")
        return {
            "HasDelivered": Choice(
                "A program that ends well but leaves an exit message has delivered nothing but its report, which "
                "SageMaker would not have uploaded had the program failed.",
                condition=failure_causes.has_exit_message(),
                then="Undelivered",
                otherwise="MarkCompleted",
            ),
            "Undelivered": Assign(
                "Keeps the exit message.",
                variables={
                    "cause": jsonata(failure_causes.exit_message()),
                    "ofDocuments": jsonata(failure_causes.exit_message_is_of_documents()),
                },
                next="MarkFailed",
            ),
            "MarkCompleted": self._records.mark_completed(then="Completed", failed="MarkFailed"),
            "Completed": End("The results are there, and the record says so."),
            "MarkFailed": mark_failed,
            "IsOfDocuments": Choice(
                "Documents that cannot be processed are the user's to mend, and operators are not called for them.",
                condition=OF_DOCUMENTS,
                then="DocumentsFailed",
                otherwise="Notify" if topic else "Failed",
            ),
            "DocumentsFailed": End(
                "The documents cannot be processed, and the record says why; nothing is wrong inside."
            ),
            **({"Notify": notify(topic, self.args.kind)} if topic else {}),
            "Failed": End(
                "A job that fails for a reason inside is a failed execution, which raises an alarm.",
                error="JobFailed",
                cause=jsonata(CAUSE),
            ),
            "NothingToDo": End("The job was cancelled, has ended or belongs to another execution; nothing is wrong."),
        }

    @cached_property
    def _records(self) -> JobRecords:
        return JobRecords(table=self.args.table, kind=self.args.kind)

    @cached_property
    def _create_permissions(self) -> list[Permission]:
        # Cached, because two states create jobs and the machine's role has each permission only once.
        account = account_of(self.args.table.arn)
        return create_permissions(self.args, role_arn=self.role_arn, region=self.region, account=account)

    def _arguments(
        self, suffix: Expression, channels: Mapping[Channel, Expression], *, kind: str, instance_count: int
    ) -> dict[str, Any]:
        about = value({KIND_VARIABLE: kind, ID_VARIABLE: JOB.field("job")})
        return job_arguments(
            self.args,
            role_arn=self.role_arn,
            name=self._name(suffix),
            inputs=processing_inputs(self.args.program, channels),
            environment=merged(ENVIRONMENT, JOB.field("environment"), about),
            instance_count=instance_count,
        )

    def _name(self, suffix: Expression) -> Expression:
        """Write the name of a processing job."""
        return joined(text(f"{self.args.kind}-"), JOB.field("job"), suffix)

    def _create(
        self,
        reason: str,
        *,
        suffix: Expression,
        channels: Mapping[Channel, Expression],
        kind: str,
        instance_count: int,
        then: str,
        may_be_repeated: bool,
    ) -> Call:
        cause = failure_causes.cause_of_error(
            instance_type=self.args.instance_type,
            instance_count=instance_count,
            time_limit_seconds=self.args.time_limit_seconds,
        )
        unanswered = when(failure_causes.is_of_creation(), self._name(suffix), "")
        out_of_capacity = failure_causes.is_out_of_capacity(instance_count)
        caught = {
            "cause": jsonata(cause),
            "ofDocuments": jsonata(failure_causes.error_is_of_documents()),
            "outOfCapacity": jsonata(out_of_capacity) if may_be_repeated else False,
            "wasCreated": jsonata(failure_causes.was_created()),
            "unanswered": jsonata(unanswered),
        }
        retry = self.args.retry
        # Throttling, among others. An exceeded quota has an error of its own, which a later state looks into, since a
        # quota of 0 never lets a job through. A job that merges only has to wait: the job before it was let through.
        # https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
        refused = Retry(
            ["SageMaker.AmazonSageMakerException", *([] if may_be_repeated else [failure_causes.OVER_QUOTA])],
            attempts=retry.attempts,
            first_seconds=retry.first_seconds,
            longest_seconds=retry.longest_seconds,
        )
        return Call(
            reason,
            resource=CREATE_AND_WAIT,
            arguments=self._arguments(suffix, channels, kind=kind, instance_count=instance_count),
            permissions=self._create_permissions,
            next=then,
            timeout_seconds=self._state_seconds(),
            retry=[refused] if retry.attempts else [],
            catch=[Catch([ANY_ERROR], next="IsUnanswered", assign=caught)],
        )

    def _state_seconds(self) -> int:
        return self.args.time_limit_seconds + STARTING_SECONDS
