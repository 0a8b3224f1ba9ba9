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
from schema.jobs import OF_DOCUMENTS_MARK

_MAX_CHARACTERS = 1000
_OF_SAGEMAKER = "SageMaker."
# Error of a job that would exceed a quota.
OVER_QUOTA = "SageMaker.ResourceLimitExceededException"
# SageMaker refuses a job that would exceed a quota with: "The account-level service limit 'ml.m5.large for processing
# job usage' is 0 Instances, with current utilization of 0 Instances and a request delta of 1 Instances. ..."
# https://repost.aws/knowledge-center/sagemaker-resource-limit-exceeded-error
_QUOTA = r"/service limit '([^']*)' is ([0-9]+) /"
_QUOTAS_PAGE = "https://console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"


def exit_message() -> Expression:
    """Exit message of a job that has ended well but delivered nothing."""
    return _shortened(_unmarked(INPUT.field("ExitMessage")))


def has_exit_message() -> Expression:
    """Whether a job that has ended well has left an exit message."""
    message = INPUT.field("ExitMessage")
    return all_of(call("exists", message), Expression(f"{message.code} != ''"))


def exit_message_is_of_documents() -> Expression:
    """Whether the documents are why a job that has ended well has delivered nothing."""
    return _is_marked(INPUT.field("ExitMessage"))


def stopped(time_limit_seconds: int) -> str:
    """Cause of a job that SageMaker stopped."""
    limit = time_limit_seconds
    length = f"{limit // 60} minutes" if limit >= 120 and limit % 60 == 0 else f"{limit} seconds"
    return f"The job was stopped before it had ended. It may run for {length}."


def was_created() -> Expression:
    """Whether a job that lacks an instance was created before SageMaker found that AWS has none free."""
    return _of_error(_lacks_capacity())


def is_out_of_capacity(instance_count: int) -> Expression:
    """Whether an error says that no instance is free, which passes: on AWS, or in a quota that the job fits into.

    Parameters
    ----------
    instance_count
        Instances of the job.
    """
    return _of_error(
        any_of(
            _lacks_capacity(),
            all_of(_exceeds_quota(), call("not", _never_fits(instance_count))),
        )
    )


def error_is_of_documents() -> Expression:
    """Whether the documents are why a job ended with an error."""
    return _of_error(_is_marked(variable("described").field("ExitMessage")))


def is_of_creation() -> Expression:
    """Whether an error came from the creation of a job, rather than from a job that has ended, and may hide its answer.

    Errors of SageMaker itself begin with its name. That of a quota is sure: there is no job.
    """
    error = joined(text(""), ERROR.field("Error"))
    return all_of(
        equal(call("substring", error, 0, len(_OF_SAGEMAKER)), _OF_SAGEMAKER),
        Expression(f"({error.code}) != '{OVER_QUOTA}'"),
    )


def cause_of_error(*, instance_type: str, instance_count: int, time_limit_seconds: int) -> Expression:
    """Cause of a job that could not be created, or that ended with an error.

    Parameters
    ----------
    instance_type, instance_count
        Instances of the job.
    time_limit_seconds
        Longest time it may run.
    """
    error, content, described, reason = (variable(name) for name in ("error", "text", "described", "reason"))
    was_stopped = any_of(equal(error, "States.Timeout"), equal(described.field("ProcessingJobStatus"), "Stopped"))
    no_capacity = f"AWS has no {instance_type} free at the moment. Start the job later."
    unknown = joined(text("The job could not be run: "), error, text(" "), content)
    choices: list[tuple[Expression, Expression | str]] = [
        (was_stopped, stopped(time_limit_seconds)),
        (_lacks_capacity(), no_capacity),
        (_never_fits(instance_count), _quota_too_low(instance_count)),
        (_exceeds_quota(), _quota_in_use(instance_type)),
        (reason, _unmarked(reason)),
    ]
    cause = unknown
    for condition, words in reversed(choices):
        cause = when(condition, words, cause)
    return _of_error(_shortened(cause))


def _of_error(result: Expression) -> Expression:
    """Bind what an error tells, for a result.

    The error of a failed job holds the job's description as JSON: `ExitMessage` comes from the program, `FailureReason`
    from SageMaker. JSON that was cut off is not parsed, because a parse error would end the execution. Only `reason`
    may have words of a user, such as the name of a document; `platform` has SageMaker's words alone.
    """
    content, described = variable("text"), variable("described")
    is_json = all_of(
        equal(call("substring", content, 0, 1), "{"),
        equal(call("substring", content, -1), "}"),
    )
    return let(
        {
            "error": joined(text(""), ERROR.field("Error")),
            "text": joined(text(""), ERROR.field("Cause")),
            "described": when(is_json, call("parse", content), {}),
            "reason": when(
                described.field("ExitMessage"), described.field("ExitMessage"), described.field("FailureReason")
            ),
            "platform": joined(
                variable("error"), text(" "), when(is_json, joined(text(""), described.field("FailureReason")), content)
            ),
            "quota": call("match", variable("platform"), Expression(_QUOTA)),
        },
        result,
    )


def _lacks_capacity() -> Expression:
    return call("contains", variable("platform"), "CapacityError")


def _exceeds_quota() -> Expression:
    return call("contains", variable("platform"), "ResourceLimitExceeded")


def _never_fits(instance_count: int) -> Expression:
    """Whether a quota is smaller than the job, so that waiting does not help; new accounts have quotas of 0."""
    limit = call("number", Expression(f"{variable('quota').code}.groups[1]"))
    return Expression(f"({_exceeds_quota().code} and $exists($quota) and {limit.code} < {instance_count})")


def _quota_too_low(instance_count: int) -> Expression:
    return joined(
        text("The AWS account's quota of Amazon SageMaker '"),
        Expression("$quota.groups[0]"),
        text("' is "),
        Expression("$quota.groups[1]"),
        text(
            f", and the job needs {instance_count}. An administrator has to raise it in Service Quotas, in the stack's "
            f"region ({_QUOTAS_PAGE}). Then start the job again."
        ),
    )


def _quota_in_use(instance_type: str) -> Expression:
    quota = when(
        call("exists", variable("quota")),
        joined(text("'"), Expression("$quota.groups[0]"), text("'")),
        f"for {instance_type}",
    )
    return joined(
        text("All instances of the AWS account's quota of Amazon SageMaker "),
        quota,
        text(f" are in use. Start the job later, or have the quota raised ({_QUOTAS_PAGE})."),
    )


def _is_marked(message: Expression) -> Expression:
    prefix = call("substring", joined(text(""), message), 0, len(OF_DOCUMENTS_MARK))
    return equal(prefix, OF_DOCUMENTS_MARK)


def _unmarked(message: Expression) -> Expression:
    return when(_is_marked(message), call("substring", message, len(OF_DOCUMENTS_MARK)), message)


def _shortened(content: Expression) -> Expression:
    return call("substring", content, 0, _MAX_CHARACTERS)
