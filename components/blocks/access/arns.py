"""Account and region, extracted from ARNs: without a call to AWS, previews need no credentials."""

from __future__ import annotations

import pulumi


def account_of(arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """Extract the account number from an ARN; ARNs of S3 have none."""
    return pulumi.Output.from_input(arn).apply(lambda value: value.split(":")[4])


def region_of(arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """Extract the region from an ARN; ARNs of S3 and IAM have none."""
    return pulumi.Output.from_input(arn).apply(lambda value: value.split(":")[3])
