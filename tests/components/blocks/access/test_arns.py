"""What ARNs say: account and region."""

from __future__ import annotations

import pulumi

from components.blocks.access.arns import account_of, region_of
from tests.support.pulumi_mocks import evaluate

ARN = "arn:aws:sqs:eu-central-1:123456789012:work"


def test_account_and_region_are_read_out_of_an_arn() -> None:
    def read() -> list[pulumi.Output[str]]:
        later = pulumi.Output.from_input(ARN)
        return [account_of(later), region_of(later)]

    assert evaluate(read).result == ["123456789012", "eu-central-1"]
