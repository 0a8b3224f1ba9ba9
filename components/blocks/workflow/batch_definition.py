"""The states of a batch job: what `BatchJobWorkflow` makes its state machine of.

Prepare -> (Register ->) MarkRunning -> Process -> HasProcessed -> (Merge -> HasMerged ->) HasDelivered
                                          | error                                           | yes         | no
                                          v                                                 v             v
                              IsOutOfCapacity -> AwaitCapacity -> Process       MarkCompleted        Undelivered
                                          | no                                              v             v
                                          v                                         Completed        MarkFailed
                              MarkFailed -> (Notify ->) Failed

Variables: `$job` what the execution was started with, `$program` address of the program, `$wheels` address of
its wheels, `$environment` variables of all jobs, `$attempt` how often capacity was asked for, `$cause` why the job
failed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission
from components.blocks.observe.notifications import Notifications
from components.blocks.workflow.job_records import JobRecords
from components.blocks.workflow.processing_job import (
    CREATE_AND_WAIT,
    InputChannel,
    ProcessingJob,
    channels_expression,
    job_arguments,
)
from components.blocks.workflow.states import ANY_ERROR, Assign, Call, Catch, Choice, End, Retry, State, Wait, jsonata

START = "Prepare"
# Time for instances to start and images to be pulled, which SageMaker does not count as running time.
STARTING_SECONDS = 1800
_MAX_CAUSE = 1000
_MERGED_CHANNEL = InputChannel("parts", "parts", "")
# Sortable ids, https://www.rfc-editor.org/rfc/rfc9562#section-5.7: the time in milliseconds, then chance.
_UUID7 = (
    "($t := $pad($formatBase($millis(), 16), -12, '0'); "
    "$substring($t, 0, 8) & '-' & $substring($t, 8) & '-7' & $substring($uuid(), 15))"
)


@dataclass(frozen=True)
class RetryPolicy:
    """How refusals and a lack of capacity are met.

    Attributes
    ----------
    attempts, first_seconds, longest_seconds
        Of creating a job that SageMaker refuses because of throttling or a quota; the delay doubles.
    capacity_attempts, capacity_seconds
        Jobs that are created, in all, while AWS has no free instance, and how many seconds longer each waits.
    """

    attempts: int = 8
    first_seconds: int = 15
    longest_seconds: int = 900
    capacity_attempts: int = 4
    capacity_seconds: int = 300


@dataclass(frozen=True)
class BatchDefinition:
    """The states of a kind's jobs.

    Attributes
    ----------
    job
        What jobs have in common.
    role, create
        What a job works under, and the permissions to create one.
    records
        States that keep a job's record.
    region
        Where it all runs.
    retry
        How refusals and a lack of capacity are met.
    announce
        Who is told of failures.
    has_schedules
        Whether jobs may start by themselves, without a record.
    """

    job: ProcessingJob
    role: aws.iam.Role
    create: Sequence[Permission]
    records: JobRecords
    region: pulumi.Output[str]
    retry: RetryPolicy
    announce: Notifications | None
    has_schedules: bool

    def timeout_seconds(self) -> int:
        """Longest time of an execution: longer than all its states together, so that they are what ends it."""
        attempts = self.retry.capacity_attempts + 1
        creating = self.retry.attempts * self.retry.longest_seconds
        waiting = sum(range(attempts)) * self.retry.capacity_seconds
        return (attempts + 1) * (self._state_seconds() + creating) + waiting + 3600

    def states(self) -> dict[str, State]:
        """All states by name."""
        return {
            **self._starting(),
            **self._processing(),
            **(self._merging() if self._is_shared() else {}),
            "HasDelivered": Choice(
                "A program that ends well but leaves an exit message has nothing to deliver but its report, which "
                "SageMaker would not upload had the program failed.",
                "$exists($states.input.ExitMessage) and $states.input.ExitMessage != ''",
                "Undelivered",
                "MarkCompleted",
            ),
            "Undelivered": Assign(
                "Keeps what the program said.",
                {"cause": jsonata(f"$substring($states.input.ExitMessage, 0, {_MAX_CAUSE})")},
                "MarkFailed",
            ),
            "MarkCompleted": self.records.mark_completed("Completed", "MarkFailed"),
            "Completed": End("The results are there, and the record says so."),
            "MarkFailed": self.records.mark_failed("Notify" if self.announce else "Failed", "NothingToDo"),
            **({"Notify": _notify(self.announce, self.job.kind)} if self.announce else {}),
            "Failed": End(
                "A failed job is a failed execution, so that an alarm tells.", "JobFailed", jsonata("$cause")
            ),
            "NothingToDo": End(
                "The job was cancelled, has ended or belongs to another execution, and nothing is wrong."
            ),
        }

    def _starting(self) -> dict[str, State]:
        first = "IsRegistered" if self.has_schedules else "MarkRunning"
        states: dict[str, State] = {
            START: Assign("Keeps what all later states need.", self._variables(), first),
            "MarkRunning": self.records.mark_running("Process", "NothingToDo", "MarkFailed"),
        }
        if self.has_schedules:
            states["IsRegistered"] = Choice(
                "The API records a job before it starts an execution; a schedule just starts one.",
                "$exists($states.input.job)",
                "MarkRunning",
                "Register",
            )
            states["Register"] = self.records.register("MarkRunning", "Refuse")
            states["Refuse"] = self.records.record_refusal("NothingToDo")
        return states

    def _variables(self) -> dict[str, Any]:
        variables = {
            "job": jsonata("$states.input"),
            "program": self._address(self.job.program.prefix),
            "environment": {**self.job.environment, "AWS_REGION": self.region},
            "attempt": 1,
            "cause": "",
        }
        if self.job.program.wheels_prefix:
            variables["wheels"] = self._address(self.job.program.wheels_prefix)
        if self.has_schedules:
            composed = self._composed()
            variables["job"] = pulumi.Output.concat(
                "{% $exists($states.input.job) ? $states.input : ($job := ",
                _UUID7,
                "; $project := $states.input.project; $bucket := 's3://",
                self.job.bucket.name,
                f"/'; {composed}) %}}",
            )
        return variables

    def _address(self, prefix: str) -> pulumi.Output[str]:
        return pulumi.Output.concat("s3://", self.job.bucket.name, "/", prefix)

    def _composed(self) -> str:
        """Write the expression of what the API would have started an execution with."""
        fields = ["'project': $project", "'job': $job", "'environment': {'JOB_OPTIONS': $states.input.options}"]
        fields.append(f"'results': {_filled(self.job.output.keys)}")
        channels = [*self.job.inputs, self.job.output]
        always = [one for one in channels if not (isinstance(one, InputChannel) and one.optional)]
        fields += [f"'{one.field}': $bucket & {_filled(one.keys)}" for one in always]
        expression = f"{{{', '.join(fields)}}}"
        for one in self.job.inputs:
            if one.optional:
                given = f"$exists($states.input.{one.field})"
                value = f"{{'{one.field}': $bucket & {_filled(one.keys)}}}"
                expression = f"$merge([{expression}, {given} ? {value} : {{}}])"
        return expression

    def _processing(self) -> dict[str, State]:
        done = "Merge" if self._is_shared() else "HasDelivered"
        name = f"'{self.job.kind}-' & $job.job & ($attempt > 1 ? '-' & $attempt : '')"
        return {
            "Process": self._create(
                "Runs the job and waits for its end. Its name is that of the job, so that it cannot be created twice.",
                job_arguments(
                    self.job,
                    self.role,
                    jsonata(name),
                    jsonata(channels_expression(self.job.program, self.job.inputs)),
                    jsonata(_environment(self.job.kind)),
                    self.job.instance_count,
                ),
                "HasProcessed",
                "IsOutOfCapacity",
            ),
            "HasProcessed": _has_ended(done),
            "Stopped": Assign(
                "Says in words what a job that was stopped ran into.", {"cause": self._stopped()}, "MarkFailed"
            ),
            "IsOutOfCapacity": Choice(
                "SageMaker finds out that AWS has no free instance only after it has created the job; that is worth "
                "further attempts, and any other failure is not.",
                f"$outOfCapacity and $attempt < {self.retry.capacity_attempts}",
                "AwaitCapacity",
                "MarkFailed",
            ),
            "AwaitCapacity": Wait(
                "Gives AWS time to have free instances, longer with each attempt; the next job needs another name.",
                f"$attempt * {self.retry.capacity_seconds}",
                "Process",
                {"attempt": jsonata("$attempt + 1")},
            ),
        }

    def _merging(self) -> dict[str, State]:
        parts = channels_expression(self.job.program, [_MERGED_CHANNEL]).replace(
            "$job.parts", f"$job.{self.job.output.field} & 'parts/'"
        )
        return {
            "Merge": self._create(
                "Puts the results of all instances together, on one instance.",
                job_arguments(
                    self.job,
                    self.role,
                    jsonata(f"'{self.job.kind}-' & $job.job & '-merge'"),
                    jsonata(parts),
                    jsonata(_environment("merge")),
                    1,
                ),
                "HasMerged",
                "MarkFailed",
            ),
            "HasMerged": _has_ended("HasDelivered"),
        }

    def _create(self, reason: str, arguments: dict[str, Any], then: str, failed: str) -> Call:
        caught = {
            "cause": jsonata(_cause(self.job.instance_type, self._stopped())),
            "outOfCapacity": jsonata("$contains('' & $states.errorOutput.Cause, 'CapacityError')"),
        }
        policy = self.retry
        # https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
        refused = Retry(
            ["SageMaker.AmazonSageMakerException", "SageMaker.ResourceLimitExceededException"],
            policy.attempts,
            policy.first_seconds,
            policy.longest_seconds,
        )
        return Call(
            reason,
            CREATE_AND_WAIT,
            arguments,
            self.create,
            then,
            self._state_seconds(),
            [refused] if policy.attempts else [],
            [Catch([ANY_ERROR], failed, caught)],
        )

    def _is_shared(self) -> bool:
        return self.job.instance_count > 1

    def _state_seconds(self) -> int:
        return self.job.time_limit_seconds + STARTING_SECONDS

    def _stopped(self) -> str:
        limit = self.job.time_limit_seconds
        length = f"{limit // 60} minutes" if limit >= 120 and limit % 60 == 0 else f"{limit} seconds"
        return f"The job was stopped before it had ended. It may run for {length}."


def _environment(kind: str) -> str:
    return f"$merge([$environment, $job.environment, {{'JOB_KIND': '{kind}', 'JOB_ID': $job.job}}])"


def _has_ended(then: str) -> Choice:
    return Choice(
        "A job that SageMaker stopped, at its time limit or by hand, may come back without an error.",
        "$states.input.ProcessingJobStatus = 'Completed'",
        then,
        "Stopped",
    )


def _filled(keys: str) -> str:
    """Write the expression of keys such as `projects/{project}/documents/`."""
    known = {"project": "$project", "job": "$job"}
    text = re.sub(r"\{(\w+)\}", lambda name: f"' & {known.get(name[1], f'$states.input.{name[1]}')} & '", keys)
    return f"'{text}'"


def _cause(instance_type: str, stopped: str) -> str:
    """Write the expression that says in a user's words why a job failed.

    A failed job's error has its description as a JSON text: `ExitMessage` is what the program said, `FailureReason`
    what SageMaker did. A text that was cut off is not parsed, since that would end the execution.
    """
    no_capacity = (
        f"AWS has no {instance_type} free at the moment, or the account has used up its quota. Start the job later."
    )
    return (
        "($error := $states.errorOutput.Error; $text := $string($states.errorOutput.Cause); "
        "$isJson := $substring($text, 0, 1) = '{' and $substring($text, -1) = '}'; "
        "$described := $isJson ? $parse($text) : {}; "
        "$reason := $described.ExitMessage ? $described.ExitMessage : $described.FailureReason; "
        "$substring("
        f"$error = 'States.Timeout' or $described.ProcessingJobStatus = 'Stopped' ? '{stopped}' : "
        "$contains($text & $error, /CapacityError|ResourceLimitExceeded/) ? "
        f"'{no_capacity}' : "
        f"$reason ? $reason : 'The job could not be run: ' & $error & ' ' & $text, 0, {_MAX_CAUSE}))"
    )


def _notify(announce: Notifications, kind: str) -> Call:
    return Call(
        "Tells those who want to know. That they cannot be told is no reason to lose the cause.",
        "arn:aws:states:::sns:publish",
        {
            "TopicArn": announce.arn,
            "Subject": f"A job of kind {kind} failed",
            "Message": jsonata("'Job ' & $job.job & ' in project ' & $job.project & ' failed: ' & $cause"),
        },
        announce.publishing(),
        "Failed",
        30,
        [Retry([ANY_ERROR], attempts=3)],
        [Catch([ANY_ERROR], "Failed")],
    )
