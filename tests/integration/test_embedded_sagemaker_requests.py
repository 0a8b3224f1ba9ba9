"""Requests to the embedded SageMaker: who may make them, which are refused, lists and tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.aws.embedded_aws import ACCOUNT_ID, EmbeddedAws
from tests.integration.processing import (
    JOB_STATEMENTS,
    cluster,
    job_request,
    log_lines,
    make_role,
    new_name,
    policy,
    run_job,
    s3_input,
    wait_for_job,
)
from tests.integration.test_embedded_aws import client_of, error_code

WRITES = """
    import os, pathlib
    (pathlib.Path(os.environ["PROCESSING_ROOT"]) / "output/x.txt").write_text("x")
"""


def test_permissions_of_the_caller(aws: EmbeddedAws, job_role: str) -> None:
    iam, user = aws.client("iam"), new_name("user")
    iam.create_user(UserName=user)
    caller = client_of(aws, iam.create_access_key(UserName=user)["AccessKey"], "sagemaker")
    request = job_request(aws, job_role, "")
    name = request["ProcessingJobName"]
    create = {
        "Effect": "Allow",
        "Action": ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"],
        "Resource": f"arn:aws:sagemaker:{aws.region}:{ACCOUNT_ID}:processing-job/{name}",
    }
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": job_role,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    tagging = {"Effect": "Allow", "Action": "sagemaker:AddTags", "Resource": "*"}
    granted: list[dict[str, Any]] = []

    def outcome(**changes: Any) -> str:
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=policy([tagging, *granted]))
        return error_code(caller.create_processing_job, **{**request, **changes})[0]

    assert outcome() == "AccessDeniedException"
    granted.append(create)
    assert outcome() == "AccessDeniedException", "iam:PassRole is missing"
    granted.append(passing | {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}})
    assert outcome() == "AccessDeniedException", "the role may be passed to another service only"
    granted[-1] = passing
    assert outcome(ProcessingJobName="another") == "AccessDeniedException", "another job"
    caller.create_processing_job(**request)
    caller.describe_processing_job(ProcessingJobName=name)
    assert error_code(caller.stop_processing_job, ProcessingJobName=name)[0] == "AccessDeniedException"
    assert wait_for_job(aws, name)["ProcessingJobStatus"] == "Completed"


def without(action: str) -> list[dict[str, Any]]:
    return [*JOB_STATEMENTS, {"Effect": "Deny", "Action": action, "Resource": "*"}]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("s3:ListBucket", "ListObjectsV2 failed for s3://batch-files/"),
        ("s3:GetObject", "ClientError: Data download failed:Unable to download object s3://batch-files/"),
        ("s3:PutObject", "ClientError: Data upload failed:"),
    ],
)
def test_permissions_of_the_jobs_role(aws: EmbeddedAws, action: str, reason: str) -> None:
    job = run_job(aws, make_role(aws, without(action)), WRITES)
    assert job["ProcessingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


def test_without_permission_to_log_a_job_runs_silently(aws: EmbeddedAws) -> None:
    job = run_job(aws, make_role(aws, without("logs:CreateLogStream")), WRITES)
    assert job["ProcessingJobStatus"] == "Completed"
    assert log_lines(aws, job["ProcessingJobName"]) == {}


def test_the_program_acts_as_the_jobs_role(aws: EmbeddedAws, job_role: str) -> None:
    program = """
        import boto3, os
        region = os.environ["AWS_REGION"]
        print(boto3.client("sts", region_name=region).get_caller_identity()["Arn"])
        boto3.client("translate", region_name=region).translate_text(
            Text="Hello", SourceLanguageCode="en", TargetLanguageCode="de")
    """
    job = run_job(aws, job_role, program)
    assert job["FailureReason"] == "AlgorithmError: , exit code: 1"
    lines = log_lines(aws, job["ProcessingJobName"])["algo-1"]
    assert lines[0] == f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{job_role.rpartition('/')[2]}/SageMaker"
    assert "AccessDeniedException" in lines[-1]


def test_refusals(aws: EmbeddedAws, job_role: str) -> None:
    create = aws.client("sagemaker").create_processing_job
    request = job_request(aws, job_role, "")

    def code(**changes: Any) -> tuple[str, int]:
        return error_code(create, **{**request, **changes})

    invalid = ("ValidationException", 400)
    assert code(ProcessingJobName="no_underscores") == invalid
    assert code(ProcessingJobName="x" * 64) == invalid
    assert code(ProcessingResources=cluster(101)) == invalid
    assert code(Environment={"JOB_OPTIONS": "x" * 257}) == invalid
    assert code(AppSpecification={"ImageUri": "x"}) == invalid
    assert code(ProcessingInputs=[s3_input("code", "", LocalPath="/etc")]) == invalid
    assert code(ProcessingInputs=[s3_input("code", "", S3InputMode="Pipe")]) == invalid
    untrusted = make_role(aws, JOB_STATEMENTS, service="lambda")
    assert code(RoleArn=untrusted) == invalid
    of_another_account = make_role(aws, JOB_STATEMENTS, account="210987654321")
    assert code(RoleArn=of_another_account) == invalid
    assert code(RoleArn=f"{job_role}-none") == invalid
    create(**request)
    assert code() == ("ResourceInUse", 400)
    unknown = error_code(aws.client("sagemaker").describe_processing_job, ProcessingJobName="unknown")
    assert unknown == invalid
    wait_for_job(aws, request["ProcessingJobName"])
    assert code() == ("ResourceInUse", 400), "a name is used once and for all"


def test_faults(aws: EmbeddedAws, job_role: str) -> None:
    request = job_request(aws, job_role, "")
    aws.control.add_fault(
        "sagemaker", operation="CreateProcessingJob", code="ResourceLimitExceeded", status=400, times=1
    )
    create = aws.client("sagemaker").create_processing_job
    assert error_code(create, **request) == ("ResourceLimitExceeded", 400)
    create(**request)
    wait_for_job(aws, request["ProcessingJobName"])


def test_lists_and_tags(aws: EmbeddedAws, job_role: str) -> None:
    sagemaker, tags = aws.client("sagemaker"), [{"Key": "project", "Value": "p"}]
    before = datetime.now(UTC) - timedelta(seconds=1)
    names = [new_name("listed") for _ in range(3)]
    for name in names:
        run_job(aws, job_role, "" if name != names[1] else "raise SystemExit(1)", ProcessingJobName=name, Tags=tags)

    def listed(**filters: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_processing_jobs").paginate(
            NameContains="LISTED", PaginationConfig={"PageSize": 2}, **filters
        )
        return [job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]]

    assert listed() == names
    assert listed(SortOrder="Descending", SortBy="Name") == sorted(names, reverse=True)
    assert listed(StatusEquals="Failed") == [names[1]]
    assert listed(CreationTimeAfter=before) == names
    assert listed(CreationTimeBefore=before) == []
    assert error_code(sagemaker.list_processing_jobs, NextToken="x")[0] == "ValidationException"

    arn = sagemaker.describe_processing_job(ProcessingJobName=names[0])["ProcessingJobArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "o"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["project"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "o"}]
