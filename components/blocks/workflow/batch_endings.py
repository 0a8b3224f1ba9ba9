"""States at the end of a batch job."""

from __future__ import annotations

from components.blocks.observe.notifications import Notifications
from components.blocks.workflow.execution import CAUSE, INPUT, JOB
from components.blocks.workflow.expressions import equal, joined, jsonata, text
from components.blocks.workflow.states import ANY_ERROR, Call, Catch, Choice, Retry


def has_ended(then: str) -> Choice:
    """Continue with a state if a job of SageMaker has completed."""
    return Choice(
        "A job that SageMaker stopped, at its time limit or by hand, may return without an error.",
        condition=equal(INPUT.field("ProcessingJobStatus"), "Completed"),
        then=then,
        otherwise="Stopped",
    )


def notify(topic: Notifications, kind: str) -> Call:
    """Publish the failure of a job of a kind to a topic."""
    message = joined(
        text("Job "), JOB.field("job"), text(" in project "), JOB.field("project"), text(" failed: "), CAUSE
    )
    publish = topic.grant("Publish")
    return Call(
        "Publishes the failure. The execution fails with the job's cause even if that does not work.",
        resource="arn:aws:states:::sns:publish",
        arguments={
            "TopicArn": publish.value,
            "Subject": f"A job of kind {kind} failed",
            "Message": jsonata(message),
        },
        permissions=publish.permissions,
        next="Failed",
        timeout_seconds=30,
        retry=[Retry([ANY_ERROR], attempts=3)],
        catch=[Catch([ANY_ERROR], next="Failed")],
    )
