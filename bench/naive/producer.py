"""Naive baseline, first Lambda function: reads the names once and sends one message for each, one after another."""

from __future__ import annotations

import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


def handler(_event: dict[str, Any], _context: Any) -> None:
    """Send a message for every company of the first page of the table."""
    for item in dynamodb.scan(TableName=os.environ["TABLE"])["Items"]:
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=item["name"]["S"])
