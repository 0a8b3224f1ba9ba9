"""Lambda function: deletes what is uploaded for a document that has been deleted before.

A form stays good for its 15 minutes, whatever becomes of its document. What is posted too late would be worked on by
jobs, while the API neither lists it nor deletes it. S3 tells this function of everything that is posted.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import msgspec

from handlers.common.clients import aws_client
from handlers.common.environment import read_environment
from handlers.common.logs import logger, start_request
from handlers.common.table import Table
from schema.projects import document_of_object


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
table = Table(aws_client("dynamodb"), environment.documents_table)
s3 = aws_client("s3")


def handler(event: dict[str, Any], context: Any) -> None:
    """Delete what an event of S3 tells of and what has no document; delivered again, it changes nothing."""
    start_request(context)
    for record in event.get("Records", []):  # S3's test of a new configuration has none
        withdraw(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))


def withdraw(bucket: str, key: str) -> None:
    """Delete an object unless it is the content of a document that is there, or of none at all."""
    document = document_of_object(key)
    if document is None or table.get(document) is not None:
        return
    s3.delete_object(Bucket=bucket, Key=key)
    logger.info("upload withdrawn", extra={"key": key})
