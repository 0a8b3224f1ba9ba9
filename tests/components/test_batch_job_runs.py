"""Batch jobs from their start to their end: the definition, run by an interpreter against a real table."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from components.batch_job_workflow import JobSchedule
from schema.ids import ANY_ID
from schema.jobs import KINDS, execution_input
from tests.support.batch_jobs import (
    BUCKET,
    IMAGE,
    JOB,
    MAX_CHARACTERS,
    NIGHTLY,
    NOW,
    PROCESS,
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
from tests.support.pulumi_mocks import REGION, arn_of
from tests.support.state_interpreter import EXECUTION, Execution, ServiceError

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
ID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


def test_job_that_succeeds_is_completed_is_the_latest_and_makes_room_for_the_next(records: Records) -> None:
    records.start_job()
    execution, told = run(records, Jobs())
    job, latest = records.get(f"JOB#{JOB}"), records.get("LATEST#translate")
    done = ["HasProcessed", "HasDelivered", "MarkCompleted", "Completed"]
    assert execution.path == ["Prepare", "MarkRunning", "Process", *done]
    assert (execution.status, told) == ("SUCCEEDED", [])
    assert job
    assert latest
    assert (job["status"], job["project_status"], job["execution"]) == ("completed", "p1#completed", EXECUTION)
    assert NOW.match(job["started_at"])
    assert NOW.match(job["finished_at"])
    assert latest == {"job": JOB, "finished_at": job["finished_at"]}
    assert records.get("RUNNING#translate") is None


def test_job_is_created_with_its_program_channels_limits_and_environment(records: Records) -> None:
    records.start_job()
    jobs = Jobs()
    evaluation = declare(environment={"DOCUMENT_WORKERS": "4"}, kms_key="arn:key", instance_type="ml.c5.xlarge")
    run(records, jobs, evaluation)
    (arguments,) = jobs.created
    code, documents = arguments.pop("ProcessingInputs")
    assert re.fullmatch(rf"s3://{BUCKET}/programs/[0-9a-f]{{16}}/", code["S3Input"]["S3Uri"])
    assert documents == {
        "InputName": "documents",
        "S3Input": {
            "S3Uri": f"s3://{BUCKET}/projects/p1/documents/",
            "LocalPath": "/opt/ml/processing/input/documents",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "ShardedByS3Key",
        },
    }
    assert arguments == {
        "ProcessingJobName": f"translate-{JOB}",
        "RoleArn": arn_of(ROLE, "translate-job"),
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/run.py"],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.c5.xlarge",
                "VolumeSizeInGB": 30,
                "VolumeKmsKeyId": "arn:key",
            }
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "output",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/results/p1/{JOB}/",
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "Continuous",
                    },
                }
            ],
            "KmsKeyId": "arn:key",
        },
        "Environment": {
            "AWS_REGION": REGION,
            "STACK": "dev",
            "DOCUMENT_WORKERS": "4",
            "JOB_OPTIONS": "{}",
            "MAX_CHARACTERS": MAX_CHARACTERS,
            "JOB_KIND": "translate",
            "JOB_ID": JOB,
        },
        "NetworkConfig": {"EnableNetworkIsolation": False},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def test_model_is_a_channel_where_one_is_given(records: Records) -> None:
    records.start_job()
    jobs = Jobs()
    given = {"project": "p1", "job": JOB, "input": "s3://b/i/", "output": "s3://b/o/", "environment": {}}
    run(records, jobs, given={**given, "model": "s3://b/models/m/"})
    channels = {one["InputName"]: one["S3Input"] for one in jobs.created[0]["ProcessingInputs"]}
    assert list(channels) == ["code", "documents", "model"]
    assert channels["model"]["S3Uri"] == "s3://b/models/m/"
    assert (
        channels["model"]["S3DataDistributionType"] == channels["code"]["S3DataDistributionType"] == "FullyReplicated"
    )


@pytest.mark.parametrize("status", ["cancelled", "completed", "failed"])
def test_job_that_has_ended_is_not_started(status: str, records: Records) -> None:
    records.put(f"JOB#{JOB}", kind="translate", status=status, finished_at="2026-11-21T00:00:00Z")
    before = records.get(f"JOB#{JOB}")
    jobs = Jobs()
    execution, _ = run(records, jobs)
    assert (execution.path, execution.status) == (["Prepare", "MarkRunning", "NothingToDo"], "SUCCEEDED")
    assert (jobs.created, records.get(f"JOB#{JOB}")) == ([], before)


@pytest.mark.parametrize(
    "attributes",
    [
        {"kind": "analyse", "status": "running"},
        {"kind": "translate", "status": "running", "started_at": "2026-11-21T00:00:00Z", "execution": "another"},
    ],
)
def test_job_of_another_kind_or_execution_is_not_started(attributes: dict[str, str], records: Records) -> None:
    records.put(f"JOB#{JOB}", **attributes)
    jobs = Jobs()
    assert run(records, jobs)[0].path[-1] == "NothingToDo"
    assert jobs.created == []


def test_start_whose_answer_was_lost_goes_on(records: Records) -> None:
    records.start_job()
    definition = definition_of(plain())
    lost: list[bool] = []

    def update(arguments: dict[str, Any]) -> dict[str, Any]:
        records.update(arguments)
        if not lost:
            lost.append(True)
            raise ServiceError("DynamoDB.SdkClientException", "connection reset")
        return {}

    services = {UPDATE: update, TRANSACT: records.transact, PROCESS: Jobs().create}
    given = {"project": "p1", "job": JOB, "input": "i", "output": "o", "environment": {}}
    assert Execution(definition, services).run(given).path[-1] == "Completed"


@pytest.mark.parametrize("answer", [{"ProcessingJobStatus": "Completed"}, failed(ExitMessage="No.")])
def test_job_that_is_cancelled_while_it_runs_stays_cancelled(
    answer: dict[str, Any] | ServiceError, records: Records
) -> None:
    """The API marks the job and frees the lock, which the next job takes, before it stops the execution."""
    records.start_job()

    class Cancelled(Jobs):
        def create(self, arguments: dict[str, Any]) -> dict[str, Any]:
            records.put(f"JOB#{JOB}", kind="translate", status="cancelled", project_status="p1#cancelled")
            records.put("RUNNING#translate", job="next")
            return super().create(arguments)

    execution, told = run(records, Cancelled(answer))
    job = records.get(f"JOB#{JOB}")
    assert execution.path[-1] == "NothingToDo"
    assert (execution.status, told) == ("SUCCEEDED", [])
    assert job
    assert job["status"] == "cancelled"
    assert records.get("RUNNING#translate") == {"job": "next"}
    assert records.get("LATEST#translate") is None


def test_latest_never_moves_backwards(records: Records) -> None:
    records.start_job()
    records.put("LATEST#translate", job="newer", finished_at="9999-01-01T00:00:00Z")
    execution, _ = run(records, Jobs())
    assert execution.status == "FAILED"
    assert records.get("LATEST#translate") == {"job": "newer", "finished_at": "9999-01-01T00:00:00Z"}


def test_several_instances_share_the_documents_and_one_puts_the_results_together(records: Records) -> None:
    records.start_job()
    jobs = Jobs()
    evaluation = declare(instance_count=4)
    execution, _ = run(records, jobs, evaluation)
    shared, merged = jobs.created
    assert execution.path[2:7] == ["Process", "HasProcessed", "Merge", "HasMerged", "HasDelivered"]
    counts = [one["ProcessingResources"]["ClusterConfig"]["InstanceCount"] for one in (shared, merged)]
    assert counts == [4, 1]
    assert merged["ProcessingJobName"] == f"translate-{JOB}-merge"
    assert merged["Environment"]["JOB_KIND"] == "merge"
    parts = {one["InputName"]: one["S3Input"]["S3Uri"] for one in merged["ProcessingInputs"]}
    assert parts["parts"] == f"s3://{BUCKET}/results/p1/{JOB}/parts/"
    assert list(parts) == ["code", "parts"]
    assert merged["ProcessingOutputConfig"] == shared["ProcessingOutputConfig"]
    assert f"arn:aws:s3:::{BUCKET}/results/{ANY_ID}/{ANY_ID}/parts/*" in str(
        evaluation.document(POLICY, "translate-job")
    )


def test_results_that_cannot_be_put_together_fail_the_job(records: Records) -> None:
    records.start_job()
    jobs = Jobs({"ProcessingJobStatus": "Completed"}, failed(ExitMessage="A part is missing."))
    execution, _ = run(records, jobs, declare(instance_count=2))
    assert (execution.status, execution.cause) == ("FAILED", "A part is missing.")


def test_scheduled_job_is_recorded_and_runs_like_any_other(records: Records) -> None:
    evaluation = declare(schedules=[NIGHTLY])
    jobs = Jobs()
    execution, _ = run(records, jobs, evaluation, json.loads(evaluation.one(TARGET).inputs["input"]))
    assert execution.path[:6] == ["Prepare", "IsRegistered", "Compose", "Register", "MarkRunning", "Process"]
    assert execution.status == "SUCCEEDED"
    (arguments,) = jobs.created
    job_id = arguments["Environment"]["JOB_ID"]
    job = records.get(f"JOB#{job_id}")
    assert ID.match(job_id)
    assert job
    assert {key: job[key] for key in ("job", "project", "kind", "options", "status", "requested_by", "results")} == {
        "job": job_id,
        "project": "p1",
        "kind": "translate",
        "options": '{"target":"de"}',
        "status": "completed",
        "requested_by": "schedule",
        "results": f"results/p1/{job_id}/",
    }
    addresses = [one["S3Input"]["S3Uri"] for one in arguments["ProcessingInputs"][1:]]
    assert addresses == [f"s3://{BUCKET}/projects/p1/documents/", f"s3://{BUCKET}/models/opus-mt-en-de/"]
    assert arguments["Environment"]["JOB_OPTIONS"] == '{"target":"de"}'
    assert arguments["Environment"]["MAX_CHARACTERS"] == job["max_characters"] == "1000000"


def test_every_job_has_a_limit_of_characters(records: Records) -> None:
    """That of its schedule, or of the workflow where its execution was started by hand without one."""
    scheduled = declare(schedules=[replace(NIGHTLY, max_characters=70)], max_characters=900)
    jobs = Jobs()
    run(records, jobs, scheduled, json.loads(scheduled.one(TARGET).inputs["input"]))
    records.start_job()
    given = execution_input(KINDS["translate"], bucket=BUCKET, project="p1", job=JOB, options="{}", max_characters="")
    del given["environment"]["MAX_CHARACTERS"]
    run(records, jobs, declare(max_characters=900), given)
    assert [arguments["Environment"]["MAX_CHARACTERS"] for arguments in jobs.created] == ["70", "900"]


def test_jobs_have_the_tags_of_the_stack(records: Records) -> None:
    records.start_job()
    jobs = Jobs()
    run(records, jobs, declare(tags={"stack": "dev", "project": "p"}))
    (arguments,) = jobs.created
    assert arguments["Tags"] == [{"Key": "project", "Value": "p"}, {"Key": "stack", "Value": "dev"}]


def test_scheduled_job_is_rejected_while_one_of_its_kind_runs(records: Records) -> None:
    records.start_job()
    evaluation = declare(schedules=[NIGHTLY])
    jobs = Jobs()
    execution, _ = run(records, jobs, evaluation, json.loads(evaluation.one(TARGET).inputs["input"]))
    assert execution.path[3:] == ["Register", "Refuse", "NothingToDo"]
    assert (jobs.created, records.get("RUNNING#translate")) == ([], {"job": JOB})
    items = records.client.scan(TableName=records.name)["Items"]
    assert [item["cause"]["S"] for item in items if item.get("status") == {"S": "rejected"}] == [
        "Another job of this kind was running in the project when the schedule was to start this one."
    ]


def test_schedule_for_a_project_that_does_not_exist_fails(records: Records) -> None:
    evaluation = declare(schedules=[JobSchedule("nightly", expression="rate(1 day)", project="nowhere")])
    execution, _ = run(records, Jobs(), evaluation, json.loads(evaluation.one(TARGET).inputs["input"]))
    assert (execution.status, execution.error) == ("FAILED", "DynamoDb.TransactionCanceledException")
    assert len(records.client.scan(TableName=records.name)["Items"]) == 1, "an item in a project that is not there"


@pytest.mark.parametrize("cancelled", [False, True])
def test_scheduled_job_whose_record_was_not_answered_runs_once_and_stays_cancelled(
    records: Records, cancelled: bool
) -> None:
    """The transaction is repeated, after somebody has cancelled the job or not."""
    evaluation = declare(schedules=[NIGHTLY], announced=False)
    jobs, calls = Jobs(), itertools.count()

    def transact(arguments: dict[str, Any]) -> dict[str, Any]:
        answer = records.transact(arguments)
        if next(calls):
            return answer
        job = arguments["TransactItems"][1]["Put"]["Item"]["sk"]["S"]
        if cancelled:
            records.put(job, status="cancelled")
            records.client.delete_item(
                TableName=records.name, Key={"pk": {"S": "PROJECT#p1"}, "sk": {"S": "RUNNING#translate"}}
            )
        raise ServiceError("DynamoDb.SdkClientException", "The connection broke.")

    services = {UPDATE: records.update, TRANSACT: transact, PROCESS: jobs.create}
    given = json.loads(evaluation.one(TARGET).inputs["input"])
    execution = Execution(definition_of(evaluation), services).run(given)
    assert execution.status == "SUCCEEDED"
    assert len(jobs.created) == (0 if cancelled else 1)
