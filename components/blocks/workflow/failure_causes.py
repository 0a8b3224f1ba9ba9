"""Causes of failed batch jobs, in words for users."""

from __future__ import annotations

from components.blocks.workflow.execution import ERROR, INPUT
from components.blocks.workflow.expressions import (
    Expression,
    all_of,
    any_of,
    call,
    equal,
    joined,
    let,
    text,
    variable,
    when,
)

_MAX_CHARACTERS = 1000
_OF_SAGEMAKER = "SageMaker."
_QUOTA = "SageMaker.ResourceLimitExceededException"


def exit_message() -> Expression:
    """Exit message of a job that has ended well but delivered nothing."""
    return _shortened(INPUT.field("ExitMessage"))


def has_exit_message() -> Expression:
    """Whether a job that has ended well has left an exit message."""
    message = INPUT.field("ExitMessage")
    return all_of(call("exists", message), Expression(f"{message.code} != ''"))


def stopped(time_limit_seconds: int) -> str:
    """Cause of a job that SageMaker stopped."""
    limit = time_limit_seconds
    length = f"{limit // 60} minutes" if limit >= 120 and limit % 60 == 0 else f"{limit} seconds"
    return f"The job was stopped before it had ended. It may run for {length}."


def is_out_of_capacity() -> Expression:
    """Whether an error says that AWS has no free instance."""
    return call("contains", joined(text(""), ERROR.field("Cause")), "CapacityError")


def is_of_creation() -> Expression:
    """Whether an error came from the creation of a job, rather than from a job that has ended, and may hide its answer.

    Errors of SageMaker itself begin with its name. That of a quota is sure: there is no job.
    """
    error = joined(text(""), ERROR.field("Error"))
    return all_of(
        equal(call("substring", error, 0, len(_OF_SAGEMAKER)), _OF_SAGEMAKER),
        Expression(f"({error.code}) != '{_QUOTA}'"),
    )


def cause_of_error(*, instance_type: str, time_limit_seconds: int) -> Expression:
    """Cause of a job that could not be created, or that ended with an error.

    The error of a failed job holds the job's description as JSON: `ExitMessage` comes from the program, `FailureReason`
    from SageMaker. JSON that was cut off is not parsed, because a parse error would end the execution.
    """
    error, content, described, reason = (variable(name) for name in ("error", "text", "described", "reason"))
    is_json = all_of(
        equal(call("substring", content, 0, 1), "{"),
        equal(call("substring", content, -1), "}"),
    )
    was_stopped = any_of(equal(error, "States.Timeout"), equal(described.field("ProcessingJobStatus"), "Stopped"))
    has_no_capacity = Expression(f"$contains({content.code} & {error.code}, /CapacityError|ResourceLimitExceeded/)")
    no_capacity = (
        f"AWS has no {instance_type} free at the moment, or the account has used up its quota. Start the job later."
    )
    unknown = joined(text("The job could not be run: "), error, text(" "), content)
    return let(
        {
            "error": ERROR.field("Error"),
            "text": call("string", ERROR.field("Cause")),
            "described": when(is_json, call("parse", content), {}),
            "reason": when(
                described.field("ExitMessage"), described.field("ExitMessage"), described.field("FailureReason")
            ),
        },
        _shortened(
            when(
                was_stopped,
                stopped(time_limit_seconds),
                when(has_no_capacity, no_capacity, when(reason, reason, unknown)),
            )
        ),
    )


def _shortened(content: Expression) -> Expression:
    return call("substring", content, 0, _MAX_CHARACTERS)
