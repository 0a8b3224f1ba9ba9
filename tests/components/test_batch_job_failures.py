"""Batch jobs that fail: what is tried again, what is told, and what is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from components.batch_job_workflow import RetryPolicy
from tests.support.batch_jobs import (
    JOB,
    NOW,
    PROCESS,
    PUBLISH,
    TRANSACT,
    UPDATE,
    Jobs,
    Records,
    declare,
    definition_of,
    failed,
    plain,
    run,
)
from tests.support.pulumi_mocks import arn_of
from tests.support.state_interpreter import Execution, ServiceError

NO_CAPACITY = "CapacityError: Unable to provision requested ML compute capacity."
MARK = "Documents: "
QUOTA = "AWS account's quota of Amazon SageMaker"
PAGE = "https://console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"


def over_quota(limit: int, used: int = 0) -> ServiceError:
    """What SageMaker answers when a job would exceed the account's quota."""
    return ServiceError(
        "SageMaker.ResourceLimitExceededException",
        f"The account-level service limit 'ml.m5.large for processing job usage' is {limit} Instances, with current "
        f"utilization of {used} Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request "
        "an increase for this quota. (Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceLimitExceeded)",
    )


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            failed(ExitMessage="There is no document.", FailureReason="AlgorithmError: exit code 1"),
            "There is no document.",
        ),
        (failed(FailureReason="ClientError: No S3 objects found"), "ClientError: No S3 objects found"),
        (ServiceError("States.Timeout"), "The job was stopped before it had ended. It may run for 60 minutes."),
        (
            ServiceError("States.TaskFailed", '{"ProcessingJobStatus": "Stopped"}'),
            "The job was stopped before it had ended. It may run for 60 minutes.",
        ),
        (
            over_quota(0),
            (
                f"The {QUOTA} 'ml.m5.large for processing job usage' is 0, and the job needs 1. An administrator has "
                f"to raise it in Service Quotas, in the stack's region ({PAGE}). Then start the job again."
            ),
        ),
        (
            over_quota(2, used=2),
            (
                f"All instances of the {QUOTA} 'ml.m5.large for processing job usage' are in use. "
                f"Start the job later, or have the quota raised ({PAGE})."
            ),
        ),
        (
            ServiceError("SageMaker.ResourceLimitExceededException", "Too many."),
            (
                f"All instances of the {QUOTA} for ml.m5.large are in use. Start the job later, "
                f"or have the quota raised ({PAGE})."
            ),
        ),
        (
            ServiceError("SageMaker.AmazonSageMakerException", "not authorized"),
            "The job could not be run: SageMaker.AmazonSageMakerException not authorized",
        ),
        (ServiceError("States.TaskFailed", '{"cut off'), 'The job could not be run: States.TaskFailed {"cut off'),
    ],
)
def test_failed_job_has_a_cause_in_words_and_somebody_is_told(
    error: ServiceError, cause: str, records: Records
) -> None:
    records.start_job()
    execution, told = run(records, Jobs(error))
    job = records.get(f"JOB#{JOB}")
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "JobFailed", cause)
    assert execution.path[-4:] == ["MarkFailed", "IsOfDocuments", "Notify", "Failed"]
    assert job
    assert (job["status"], job["project_status"], job["cause"]) == ("failed", "p1#failed", cause)
    assert NOW.match(job["finished_at"])
    assert (records.get("RUNNING#translate"), records.get("LATEST#translate")) == (None, None)
    assert [one["Message"] for one in told] == [f"Job {JOB} in project p1 failed: {cause}"]
    assert told[0]["TopicArn"] == arn_of("aws:sns/topic:Topic", "told")


@pytest.mark.parametrize("instances", [1, 2])
def test_job_that_ends_well_and_delivers_nothing_has_failed_with_what_the_program_said(
    records: Records, instances: int
) -> None:
    records.start_job()
    said = "No document could be processed. a.txt: Amazon Translate refused it."
    answers = [{"ProcessingJobStatus": "Completed"}] * (instances - 1)
    jobs = Jobs(*answers, {"ProcessingJobStatus": "Completed", "ExitMessage": said})
    execution, _ = run(records, jobs, declare(instance_count=instances, announced=False))
    job = records.get(f"JOB#{JOB}")
    assert job
    assert (job["status"], job["cause"]) == ("failed", said)
    assert (execution.status, execution.cause, len(jobs.created)) == ("FAILED", said, instances)
    assert execution.path[-5:] == ["HasDelivered", "Undelivered", "MarkFailed", "IsOfDocuments", "Failed"]
    assert records.get("LATEST#translate") is None
    assert records.get("RUNNING#translate") is None


def test_job_whose_exit_message_is_empty_is_completed(records: Records) -> None:
    records.start_job()
    run(records, Jobs({"ProcessingJobStatus": "Completed", "ExitMessage": ""}))
    job = records.get(f"JOB#{JOB}")
    assert job
    assert job["status"] == "completed"


def test_job_that_comes_back_stopped_has_failed(records: Records) -> None:
    records.start_job()
    execution, _ = run(records, Jobs({"ProcessingJobStatus": "Stopped"}), declare(time_limit_seconds=90))
    assert execution.path[-5:] == ["Stopped", "MarkFailed", "IsOfDocuments", "Notify", "Failed"]
    assert execution.cause == "The job was stopped before it had ended. It may run for 90 seconds."


def test_failure_is_recorded_though_nobody_can_be_told(records: Records) -> None:
    records.start_job()
    execution = Execution(
        definition_of(plain()),
        {
            UPDATE: records.update,
            TRANSACT: records.transact,
            PROCESS: Jobs(failed(ExitMessage="No.")).create,
            PUBLISH: Jobs(ServiceError("SNS.AuthorizationErrorException")).create,
        },
    ).run({"project": "p1", "job": JOB, "input": "i", "output": "o", "environment": {}})
    assert (execution.status, execution.cause) == ("FAILED", "No.")


def test_without_a_topic_nobody_is_told(records: Records) -> None:
    records.start_job()
    execution, told = run(records, Jobs(failed(ExitMessage="No.")), declare(announced=False))
    assert (execution.path[-3:], told) == (["MarkFailed", "IsOfDocuments", "Failed"], [])


def test_refused_jobs_are_created_again_under_their_name(records: Records) -> None:
    records.start_job()
    refused = ServiceError("SageMaker.AmazonSageMakerException", "Rate exceeded")
    jobs = Jobs(refused, over_quota(2, used=2), refused, {"ProcessingJobStatus": "Completed"})
    execution, _ = run(records, jobs)
    assert (execution.status, execution.waited) == ("SUCCEEDED", [300])
    assert [one["ProcessingJobName"] for one in jobs.created] == [f"translate-{JOB}"] * 4


@pytest.mark.parametrize(("limit", "instances"), [(0, 1), (2, 3)])
def test_job_that_no_wait_can_fit_into_the_quota_fails_at_once(records: Records, limit: int, instances: int) -> None:
    records.start_job()
    jobs = Jobs(over_quota(limit))
    execution, _ = run(records, jobs, declare(instance_count=instances))
    assert (execution.status, execution.waited, len(jobs.created)) == ("FAILED", [], 1)
    assert f"'ml.m5.large for processing job usage' is {limit}, and the job needs {instances}" in execution.cause


def test_job_that_merges_waits_for_a_quota_that_others_use(records: Records) -> None:
    records.start_job()
    done = {"ProcessingJobStatus": "Completed"}
    jobs = Jobs(done, over_quota(3, used=3), over_quota(3, used=3), done)
    execution, _ = run(records, jobs, declare(instance_count=2))
    assert (execution.status, len(jobs.created)) == ("SUCCEEDED", 4)


def test_quota_that_stays_in_use_fails_the_job_in_the_end(records: Records) -> None:
    records.start_job()
    jobs = Jobs(over_quota(2, used=2))
    execution, _ = run(records, jobs)
    assert (len(jobs.created), execution.waited, execution.status) == (4, [300, 600, 900], "FAILED")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"ProcessingJobStatus": "Completed", "ExitMessage": f"{MARK}a.txt: It is empty."}, "a.txt: It is empty."),
        (failed(ExitMessage=f"{MARK}It would send too much.", FailureReason="x"), "It would send too much."),
    ],
)
def test_failure_of_the_documents_is_recorded_and_calls_no_operator(
    records: Records, answer: dict[str, Any] | ServiceError, cause: str
) -> None:
    records.start_job()
    execution, told = run(records, Jobs(answer))
    job = records.get(f"JOB#{JOB}")
    assert job
    assert (job["status"], job["cause"]) == ("failed", cause)
    assert (execution.status, execution.path[-1], told) == ("SUCCEEDED", "DocumentsFailed", [])
    assert (records.get("RUNNING#translate"), records.get("LATEST#translate")) == (None, None)


def test_words_of_users_are_not_taken_for_those_of_sagemaker(records: Records) -> None:
    records.start_job()
    jobs = Jobs(failed(ExitMessage="CapacityError ResourceLimitExceeded.txt: It is empty."))
    execution, _ = run(records, jobs)
    assert (len(jobs.created), execution.waited) == (1, [])
    assert execution.cause == "CapacityError ResourceLimitExceeded.txt: It is empty."


def test_refusals_end_after_as_many_attempts_as_given(records: Records) -> None:
    records.start_job()
    jobs = Jobs(ServiceError("SageMaker.AmazonSageMakerException", "Rate exceeded"))
    run(records, jobs, declare(retry=RetryPolicy(attempts=2)))
    assert len(jobs.created) == 3


def test_lack_of_capacity_is_waited_out_with_other_names(records: Records) -> None:
    records.start_job()
    short = failed(FailureReason=NO_CAPACITY)
    jobs = Jobs(short, short, {"ProcessingJobStatus": "Completed"})
    execution, _ = run(records, jobs)
    assert (execution.status, execution.waited) == ("SUCCEEDED", [300, 600])
    assert [one["ProcessingJobName"] for one in jobs.created] == [
        f"translate-{JOB}",
        f"translate-{JOB}-2",
        f"translate-{JOB}-3",
    ]


def test_lack_of_capacity_fails_the_job_in_the_end(records: Records) -> None:
    records.start_job()
    jobs = Jobs(failed(FailureReason=NO_CAPACITY))
    execution, _ = run(records, jobs, declare(retry=RetryPolicy(capacity_attempts=2)))
    assert (len(jobs.created), execution.status) == (2, "FAILED")
    assert execution.cause.startswith("AWS has no ml.m5.large free at the moment")


def test_failure_of_the_program_is_not_tried_again(records: Records) -> None:
    records.start_job()
    jobs = Jobs(failed(ExitMessage="There is no document."))
    run(records, jobs)
    assert len(jobs.created) == 1


@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize(
    ("error", "stopped"),
    [
        (ServiceError("SageMaker.SdkClientException", "The connection broke."), True),
        (ServiceError("SageMaker.ResourceInUseException", "A job with this name exists."), True),
        (ServiceError("SageMaker.AmazonSageMakerException", "Internal error."), True),
        (ServiceError("SageMaker.ResourceLimitExceededException", "The limit is 0."), False),
        (failed(ExitMessage="No."), False),
    ],
)
def test_job_whose_creation_may_have_been_done_is_stopped(
    records: Records, error: ServiceError, stopped: bool, instances: int
) -> None:
    """In whichever stage: the job itself, or the one that merges the results."""
    records.start_job()
    jobs = Jobs(*[{"ProcessingJobStatus": "Completed"}] * (instances - 1), error)
    execution, _ = run(records, jobs, declare(instance_count=instances, announced=False))
    name = f"translate-{JOB}-merge" if instances > 1 else f"translate-{JOB}"
    assert set(jobs.stopped) == ({name} if stopped else set())
    assert execution.path[-3:] == ["MarkFailed", "IsOfDocuments", "Failed"]
    assert records.get("RUNNING#translate") is None


def test_a_job_that_cannot_be_stopped_has_failed_too(records: Records) -> None:
    records.start_job()
    jobs = Jobs(ServiceError("SageMaker.SdkClientException", "The connection broke."))
    execution, _ = run(records, jobs)
    job = records.get(f"JOB#{JOB}")
    assert job
    assert (job["status"], "The connection broke." in job["cause"]) == ("failed", True)
    assert execution.path[-5:] == ["StopUnanswered", "MarkFailed", "IsOfDocuments", "Notify", "Failed"]
