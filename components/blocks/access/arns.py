"""Account and region, read out of ARNs: no call to AWS, so previews need no credentials."""

from __future__ import annotations

import pulumi


def account_of(arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """Read the account's number out of an ARN; S3's ARNs have none."""
    return pulumi.Output.from_input(arn).apply(lambda value: value.split(":")[4])


def region_of(arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """Read the region out of an ARN; the ARNs of S3 and IAM have none."""
    return pulumi.Output.from_input(arn).apply(lambda value: value.split(":")[3])
