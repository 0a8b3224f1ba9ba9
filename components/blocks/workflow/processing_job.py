"""Processing jobs of Amazon SageMaker: the call that a state machine makes, and the permissions that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.blocks.access.permissions import Permission
from components.blocks.workflow.batch_job_args import BatchJobWorkflowArgs
from components.blocks.workflow.execution import JOB, PROGRAM, WHEELS
from components.blocks.workflow.expressions import Expression, Value, call, exists, jsonata, value, when
from components.blocks.workflow.program import BatchProgram
from schema.job_kind import Channel
from schema.jobs import OUTPUT_FIELD

# https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
FOLDER = "/opt/ml/processing"
CREATE_AND_WAIT = "arn:aws:states:::sagemaker:createProcessingJob.sync"
STOP = "arn:aws:states:::aws-sdk:sagemaker:stopProcessingJob"
# EventBridge rule that tells Step Functions when a job has ended.
_MANAGED_RULE = "StepFunctionsGetEventsForSageMakerProcessingJobsRule"


def job_arguments(
    args: BatchJobWorkflowArgs,
    *,
    role_arn: pulumi.Input[str],
    name: Expression,
    inputs: Expression,
    environment: Expression,
    instance_count: int,
) -> dict[str, Any]:
    """Make the arguments of `CreateProcessingJob`.

    Parameters
    ----------
    args
        Arguments of the workflow.
    role_arn
        ARN of the job's role.
    name, inputs, environment
        Name of the job, its `ProcessingInputs` and its environment variables.
    instance_count
        Instances of this job.
    """
    cluster: dict[str, Any] = {
        "InstanceCount": instance_count,
        "InstanceType": args.instance_type,
        "VolumeSizeInGB": args.volume_gb,
    }
    output = {
        "S3Uri": jsonata(JOB.field(OUTPUT_FIELD)),
        "LocalPath": f"{FOLDER}/output",
        "S3UploadMode": "Continuous",
    }
    outputs: dict[str, Any] = {"Outputs": [{"OutputName": "output", "S3Output": output}]}
    if args.kms_key is not None:
        cluster["VolumeKmsKeyId"] = outputs["KmsKeyId"] = args.kms_key
    return {
        "ProcessingJobName": jsonata(name),
        "RoleArn": role_arn,
        "AppSpecification": {
            "ImageUri": args.image,
            "ContainerEntrypoint": ["python3", f"{FOLDER}/input/code/{args.program.entry}"],
        },
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingInputs": jsonata(inputs),
        "ProcessingOutputConfig": outputs,
        "Environment": jsonata(environment),
        "NetworkConfig": {"EnableNetworkIsolation": args.network_isolation},
        "StoppingCondition": {"MaxRuntimeInSeconds": args.time_limit_seconds},
        **({"Tags": [{"Key": key, "Value": value} for key, value in sorted(args.tags.items())]} if args.tags else {}),
    }


def processing_inputs(program: BatchProgram, channels: Mapping[Channel, Expression]) -> Expression:
    """Write `ProcessingInputs`: the program, its wheels, and all channels that the execution has.

    Parameters
    ----------
    program
        Program that runs in the container.
    channels
        Addresses of the channels.
    """
    always = [_input("code", PROGRAM)]
    always += [_input("wheels", WHEELS)] if program.wheels_prefix else []
    always += [_input(one.name, address, one.sharded) for one, address in channels.items() if not one.optional]
    inputs = value(always)
    for one, address in channels.items():
        if one.optional:
            inputs = call("append", inputs, when(exists(address), [_input(one.name, address, one.sharded)], []))
    return inputs


def create_permissions(
    args: BatchJobWorkflowArgs, *, role_arn: pulumi.Input[str], region: pulumi.Output[str], account: pulumi.Output[str]
) -> list[Permission]:
    """Make the permissions of a state machine that creates processing jobs and waits for them.

    https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html; Step Functions tags the jobs it waits for.
    """
    jobs = pulumi.Output.concat("arn:aws:sagemaker:", region, ":", account, ":processing-job/", args.kind, "-*")
    rule = pulumi.Output.concat("arn:aws:events:", region, ":", account, ":rule/", _MANAGED_RULE)
    actions = ("AddTags", "CreateProcessingJob", "DescribeProcessingJob", "ListTags", "StopProcessingJob")
    return [
        Permission([f"sagemaker:{action}" for action in actions], [jobs]),
        Permission(["iam:PassRole"], [role_arn], {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
        Permission(["events:DescribeRule", "events:PutRule", "events:PutTargets"], [rule]),
    ]


def _input(name: str, address: Expression, sharded: bool = False) -> Value:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": address,
            "LocalPath": f"{FOLDER}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "ShardedByS3Key" if sharded else "FullyReplicated",
        },
    }
