"""Processing jobs of Amazon SageMaker: the call that a state machine makes, and the role that a job works under."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import (
    Permission,
    account_of,
    assumed_by,
    child_of,
    policy_document,
)
from components.blocks.compute.program import PREFIX, BatchProgram
from components.blocks.compute.sagemaker_images import repository_arn
from components.blocks.storage.private_bucket import PrivateBucket

# https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
FOLDER = "/opt/ml/processing"
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
CREATE_AND_WAIT = "arn:aws:states:::sagemaker:createProcessingJob.sync"
# EventBridge rule that Step Functions itself keeps, to be told when a job has ended.
_MANAGED_RULE = "StepFunctionsGetEventsForSageMakerProcessingJobsRule"


@dataclass(frozen=True)
class InputChannel:
    """Objects that a job reads.

    Attributes
    ----------
    folder
        Name of the channel, and of the folder below `/opt/ml/processing/input`.
    field
        Field of the execution's input that has their address, such as `s3://bucket/prefix/`.
    keys
        What their keys start with, such as `projects/{project}/documents/`; names in braces stand for any text.
    sharded
        Each instance gets a share of the objects, instead of all.
    optional
        The field may be absent.
    """

    folder: str
    field: str
    keys: str
    sharded: bool = False
    optional: bool = False


@dataclass(frozen=True)
class OutputChannel:
    """Objects that a job writes: what is in `/opt/ml/processing/output` when it ends.

    Attributes
    ----------
    field
        Field of the execution's input that has their address.
    keys
        What their keys start with, as for inputs.
    """

    field: str
    keys: str


@dataclass(frozen=True)
class ProcessingJob:
    """What the jobs of a kind have in common.

    Attributes
    ----------
    kind
        First part of the jobs' names.
    image
        Address of the container image in Amazon ECR.
    bucket, program
        Where objects are, and what is run.
    inputs, output
        What it reads and writes.
    instance_type, instance_count, volume_gb
        What it runs on.
    time_limit_seconds
        Longest time it may run.
    environment
        Variables of all jobs; no secrets.
    network_isolation
        The container reaches no network, not even AWS.
    kms_key
        ARN of the key of volumes and outputs; AWS's own when absent.
    """

    kind: str
    image: pulumi.Input[str]
    bucket: PrivateBucket
    program: BatchProgram
    inputs: Sequence[InputChannel]
    output: OutputChannel
    instance_type: str
    instance_count: int
    volume_gb: int
    time_limit_seconds: int
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    network_isolation: bool = False
    kms_key: pulumi.Input[str] | None = None


def job_arguments(
    job: ProcessingJob, role: aws.iam.Role, name: str, inputs: str, environment: str, instance_count: int
) -> dict[str, Any]:
    """Make the arguments of `CreateProcessingJob`.

    Parameters
    ----------
    job
        What jobs of the kind have in common.
    role
        What it works under.
    name, inputs, environment
        Expressions, marked as such.
    instance_count
        Of this job.
    """
    cluster: dict[str, Any] = {
        "InstanceCount": instance_count,
        "InstanceType": job.instance_type,
        "VolumeSizeInGB": job.volume_gb,
    }
    outputs: dict[str, Any] = {
        "Outputs": [
            {
                "OutputName": "output",
                "S3Output": {
                    "S3Uri": f"{{% $job.{job.output.field} %}}",
                    "LocalPath": f"{FOLDER}/output",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    }
    if job.kms_key is not None:
        cluster["VolumeKmsKeyId"] = outputs["KmsKeyId"] = job.kms_key
    return {
        "ProcessingJobName": name,
        "RoleArn": role.arn,
        "AppSpecification": {
            "ImageUri": job.image,
            "ContainerEntrypoint": ["python3", f"{FOLDER}/input/code/{job.program.entry}"],
        },
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": outputs,
        "Environment": environment,
        "NetworkConfig": {"EnableNetworkIsolation": job.network_isolation},
        "StoppingCondition": {"MaxRuntimeInSeconds": job.time_limit_seconds},
    }


def channels_expression(program: BatchProgram, channels: Sequence[InputChannel]) -> str:
    """Write the expression of `ProcessingInputs`: the program, its wheels, and all channels that the execution has.

    The variables `$program`, `$wheels` and `$job` hold the addresses of program and wheels and the execution's input.
    """
    always = [_input("code", "$program", sharded=False)]
    always += [_input("wheels", "$wheels", sharded=False)] if program.wheels_prefix else []
    always += [_input(one.folder, f"$job.{one.field}", one.sharded) for one in channels if not one.optional]
    expression = f"[{', '.join(always)}]"
    for one in channels:
        if one.optional:
            added = f"[{_input(one.folder, f'$job.{one.field}', one.sharded)}]"
            expression = f"$append({expression}, $exists($job.{one.field}) ? {added} : [])"
    return expression


def _input(name: str, address: str, sharded: bool) -> str:
    distribution = "ShardedByS3Key" if sharded else "FullyReplicated"
    return (
        f"{{'InputName': '{name}', 'S3Input': {{'S3Uri': {address}, 'LocalPath': '{FOLDER}/input/{name}', "
        f"'S3DataType': 'S3Prefix', 'S3InputMode': 'File', 'S3DataDistributionType': '{distribution}'}}}}"
    )


def creating(job: ProcessingJob, role: aws.iam.Role, region: pulumi.Output[str]) -> list[Permission]:
    """Permissions of a state machine that creates such jobs and waits for them.

    https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html; Step Functions tags the jobs it waits for.
    """
    account = account_of(role.arn)
    jobs = pulumi.Output.concat("arn:aws:sagemaker:", region, ":", account, ":processing-job/", job.kind, "-*")
    rule = pulumi.Output.concat("arn:aws:events:", region, ":", account, ":rule/", _MANAGED_RULE)
    actions = ("AddTags", "CreateProcessingJob", "DescribeProcessingJob", "ListTags", "StopProcessingJob")
    return [
        Permission([f"sagemaker:{action}" for action in actions], [jobs]),
        Permission(["iam:PassRole"], [role.arn], {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
        Permission(["events:DescribeRule", "events:PutRule", "events:PutTargets"], [rule]),
    ]


def job_role(
    parent: pulumi.Resource,
    name: str,
    job: ProcessingJob,
    region: pulumi.Output[str],
    account: pulumi.Output[str],
    allow: Sequence[Permission],
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Make the role of a kind's jobs.

    Parameters
    ----------
    parent, name
        Component that the role belongs to, and what its name starts with.
    job
        What the jobs read and write.
    region, account
        Where they run.
    allow
        What the program does besides.
    """
    # Any program: executions that began before the last deployment go on with theirs.
    reads = [PREFIX, *(key_pattern(channel.keys) for channel in job.inputs)]
    writes = key_pattern(job.output.keys)
    if job.instance_count > 1:
        reads.append(f"{writes}parts/")
    permissions = [
        job.bucket.listing(*reads),
        job.bucket.getting(*reads),
        job.bucket.putting(writes),
        *_platform(job, region, account),
        *allow,
    ]
    role = aws.iam.Role(name, assume_role_policy=assumed_by("sagemaker.amazonaws.com"), opts=child_of(parent))
    policy = aws.iam.RolePolicy(name, role=role.name, policy=policy_document(permissions), opts=child_of(parent))
    return role, policy


def key_pattern(keys: str) -> str:
    """Turn `projects/{project}/documents/` into `projects/*/documents/`, as IAM writes it."""
    return re.sub(r"\{\w+\}", "*", keys)


def _platform(job: ProcessingJob, region: pulumi.Output[str], account: pulumi.Output[str]) -> list[Permission]:
    """Make the permissions of what SageMaker does under the role of each job.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createprocessingjob-perms
    """
    group = pulumi.Output.concat("arn:aws:logs:", region, ":", account, ":log-group:", LOG_GROUP)
    repository = pulumi.Output.from_input(job.image).apply(repository_arn)
    permissions = [
        Permission(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [group, pulumi.Output.concat(group, ":*")],  # the group and its streams, which SageMaker names
        ),
        Permission(
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": LOG_GROUP}},
            why_any_resource="Metrics are no resources; the namespace is what narrows the permission",
        ),
        Permission(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [repository]
        ),
        Permission(
            ["ecr:GetAuthorizationToken"], ["*"], why_any_resource="The token is for the registry, not for a repository"
        ),
    ]
    if job.kms_key is not None:
        permissions += [
            Permission(["kms:Decrypt", "kms:GenerateDataKey"], [job.kms_key]),
            Permission(["kms:CreateGrant"], [job.kms_key], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ]
    return permissions
