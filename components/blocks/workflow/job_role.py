"""Permissions of the role of batch jobs, for the program and for SageMaker itself."""

from __future__ import annotations

import pulumi

from components.blocks.access.permissions import Permission
from components.blocks.compute.sagemaker_images import repository_arn
from components.blocks.workflow.batch_job_args import BatchJobWorkflowArgs
from schema.job_kind import JobKind
from schema.jobs import PARTS_PREFIX
from schema.projects import PROGRAMS_PREFIX, RESULTS_PREFIX
from schema.templates import pattern

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


def job_permissions(
    args: BatchJobWorkflowArgs, *, region: pulumi.Output[str], account: pulumi.Output[str]
) -> list[Permission]:
    """Make the permissions of a kind's jobs.

    Parameters
    ----------
    args
        Arguments of the workflow.
    region, account
        Where the jobs run.
    """
    results = pattern(RESULTS_PREFIX)
    # All programs: executions that began before the last deployment still use theirs.
    reads = [PROGRAMS_PREFIX, *(pattern(channel.prefix) for channel in args.inputs)]
    if args.is_shared:
        reads.append(f"{results}{PARTS_PREFIX}")
    return [
        *args.bucket.grant("ListBucket", prefixes=reads).permissions,
        *args.bucket.grant("GetObject", prefixes=reads).permissions,
        *args.bucket.grant("PutObject", prefix=results).permissions,
        *_platform_permissions(args, region, account),
        *args.permissions,
    ]


def service_permissions(kind: JobKind) -> list[Permission]:
    """Make the permissions of the services that the program of a kind calls."""
    if not kind.actions:
        return []
    return [Permission(kind.actions, ["*"], why_any_resource="Synchronous calls of the services have no resource")]


def _platform_permissions(
    args: BatchJobWorkflowArgs, region: pulumi.Output[str], account: pulumi.Output[str]
) -> list[Permission]:
    """Make the permissions that SageMaker itself needs under the role of a job.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createprocessingjob-perms
    """
    group = pulumi.Output.concat("arn:aws:logs:", region, ":", account, ":log-group:", LOG_GROUP)
    repository = pulumi.Output.from_input(args.image).apply(repository_arn)
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
    if args.kms_key is not None:
        permissions += [
            Permission(["kms:Decrypt", "kms:GenerateDataKey"], [args.kms_key]),
            Permission(["kms:CreateGrant"], [args.kms_key], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ]
    return permissions
