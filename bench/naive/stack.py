"""Deploys the naive baseline to an embedded AWS, next to the product."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.embedded_aws import EmbeddedAws
from settings import host_runtime

# The figures of the system that it stands for.
BATCH_SIZE = 10
VISIBILITY_SECONDS = 120
# It set no limit. Lambda then starts with five batches at once:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
CONCURRENCY = 5

_FOLDER = Path(__file__).parent
_NAME = "naive"
_PRODUCER_SECONDS = 900
_CONSUMER_SECONDS = 60


@dataclass(frozen=True)
class NaiveStack:
    """The baseline as it was deployed.

    Attributes
    ----------
    table, queue_url, bucket, producer, consumer
        Names of what it consists of.
    mapping
        Id of the event source mapping that feeds the consumer.
    """

    table: str
    queue_url: str
    bucket: str
    producer: str
    consumer: str
    mapping: str


def deploy_naive(aws: EmbeddedAws) -> NaiveStack:
    """Make a table, a queue, a bucket, a role, two functions and the mapping between queue and consumer."""
    aws.client("dynamodb").create_table(
        TableName=_NAME,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
    )
    s3, sqs = aws.client("s3"), aws.client("sqs")
    s3.create_bucket(Bucket=_NAME, CreateBucketConfiguration={"LocationConstraint": aws.region})
    attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    queue_url = sqs.create_queue(QueueName=_NAME, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    role = _make_role(aws)
    _make_function(aws, "producer", role, {"TABLE": _NAME, "QUEUE_URL": queue_url}, _PRODUCER_SECONDS)
    variables = {"BUCKET": _NAME, "QUEUE_URL": queue_url, "TEXT_SOURCE_URL": aws.text_source_url}
    _make_function(aws, "consumer", role, variables, _CONSUMER_SECONDS)
    mapping = aws.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=f"{_NAME}-consumer",
        BatchSize=BATCH_SIZE,
        ScalingConfig={"MaximumConcurrency": CONCURRENCY},
    )
    return NaiveStack(_NAME, queue_url, _NAME, f"{_NAME}-producer", f"{_NAME}-consumer", mapping["UUID"])


def set_concurrency(aws: EmbeddedAws, stack: NaiveStack, batches: int) -> None:
    """Have the consumer work on this many batches at once."""
    aws.client("lambda").update_event_source_mapping(UUID=stack.mapping, ScalingConfig={"MaximumConcurrency": batches})


def result_count(aws: EmbeddedAws, stack: NaiveStack) -> int:
    """Count the results that were written since the baseline was deployed."""
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=stack.bucket)
    return sum(page["KeyCount"] for page in pages)


def _make_role(aws: EmbeddedAws) -> str:
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=_NAME, AssumeRolePolicyDocument=_policy(trust))["Role"]
    services = ["comprehend:*", "dynamodb:*", "logs:*", "s3:*", "sqs:*"]
    statement = {"Effect": "Allow", "Action": services, "Resource": "*"}
    iam.put_role_policy(RoleName=_NAME, PolicyName=_NAME, PolicyDocument=_policy(statement))
    return role["Arn"]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _make_function(aws: EmbeddedAws, module: str, role: str, variables: dict[str, str], seconds: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(_FOLDER / f"{module}.py", f"{module}.py")
    name = f"{_NAME}-{module}"
    lambda_ = aws.client("lambda")
    lambda_.create_function(
        FunctionName=name,
        Runtime=host_runtime(),
        Role=role,
        Handler=f"{module}.handler",
        Code={"ZipFile": buffer.getvalue()},
        Timeout=seconds,
        MemorySize=512,
        Environment={"Variables": variables},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
