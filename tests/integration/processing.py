"""Processing jobs and state machines for tests: roles, requests, waiting."""

from __future__ import annotations

import itertools
import json
import textwrap
import time
from collections.abc import Callable, Iterable
from typing import Any

from local.aws.embedded_aws import ACCOUNT_ID, EmbeddedAws

BUCKET = "batch-files"
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
ROOT = "/opt/ml/processing"
TERMINAL = {"Completed", "Failed", "Stopped"}
Statement = dict[str, Any]

_numbers = itertools.count(1)

JOB_STATEMENTS: list[Statement] = [
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{BUCKET}/*"},
    {
        "Effect": "Allow",
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"arn:aws:logs:*:*:log-group:{LOG_GROUP}*",
    },
]


def new_name(prefix: str = "job") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


def make_role(
    aws: EmbeddedAws, statements: Iterable[Statement], service: str = "sagemaker", account: str = ACCOUNT_ID
) -> str:
    """Make a role that a service may assume for an account; returns its ARN."""
    iam, name = aws.client("iam"), new_name("role")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(statements))
    return f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"


def policy(statements: Iterable[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def make_bucket(aws: EmbeddedAws) -> None:
    where = {"LocationConstraint": aws.region}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)


def put(aws: EmbeddedAws, key: str, body: str) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body.encode())


def job_request(aws: EmbeddedAws, role: str, program: str, **changes: Any) -> dict[str, Any]:
    """A request for a job that runs a program, which is put to S3, and delivers what it writes to its output folder."""
    name = changes.pop("ProcessingJobName", None) or new_name()
    put(aws, f"{name}/code/run.py", textwrap.dedent(program))
    return {
        "ProcessingJobName": name,
        "RoleArn": role,
        "AppSpecification": {
            "ImageUri": "sklearn",
            "ContainerEntrypoint": ["python3", f"{ROOT}/input/code/run.py"],
        },
        "ProcessingResources": cluster(1),
        "ProcessingInputs": [s3_input("code", f"{name}/code/")],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "results",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/{name}/results",
                        "LocalPath": f"{ROOT}/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        **changes,
    }


def cluster(instances: int) -> dict[str, Any]:
    return {
        "ClusterConfig": {"InstanceCount": instances, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
    }


def s3_input(name: str, prefix: str, **changes: Any) -> dict[str, Any]:
    source = {
        "S3Uri": f"s3://{BUCKET}/{prefix}",
        "LocalPath": f"{ROOT}/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": {**source, **changes}}


def run_job(aws: EmbeddedAws, role: str, program: str, **changes: Any) -> dict[str, Any]:
    """Run a job to its end; returns its description."""
    request = job_request(aws, role, program, **changes)
    aws.client("sagemaker").create_processing_job(**request)
    return wait_for_job(aws, request["ProcessingJobName"])


def wait_for_job(aws: EmbeddedAws, name: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        description = aws.client("sagemaker").describe_processing_job(ProcessingJobName=name)
        return description if description["ProcessingJobStatus"] in TERMINAL else None

    return wait_for(ended, f"the end of {name}")


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return value


def results(aws: EmbeddedAws, name: str) -> dict[str, str]:
    """What a job has delivered, by the key below its results."""
    s3, prefix = aws.client("s3"), f"{name}/results/"
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
    return {key.removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}


def log_lines(aws: EmbeddedAws, name: str) -> dict[str, list[str]]:
    """The lines a job has logged, by instance."""
    logs = aws.client("logs")
    streams = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    lines = {}
    for stream in streams:
        stream_name = stream["logStreamName"]
        events = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream_name, startFromHead=True)["events"]
        lines[stream_name.removeprefix(f"{name}/").rpartition("-")[0]] = [event["message"] for event in events]
    return lines


def subscribed_queue(aws: EmbeddedAws, topic: str) -> str:
    """Make a queue that gets what a topic is told, and return its address."""
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName=new_name("notices"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    delivery = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy([{**delivery, "Resource": arn}])})
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def received(aws: EmbeddedAws, queue: str) -> dict[str, Any]:
    """Wait for the next message of a topic, and return it."""
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    return json.loads(message["Body"])
