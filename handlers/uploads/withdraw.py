"""Lambda function: deletes uploads whose document was deleted before they arrived.

A form is valid for 15 minutes, even if its document is deleted meanwhile. An upload after that would be an input of
jobs, while the API could neither list nor delete it. S3 invokes this function for every upload.
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
    """Delete the uploads of an event of S3 that have no document. A repeated event changes nothing."""
    start_request(context)
    for record in event.get("Records", []):  # S3's test event has none
        withdraw(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))


def withdraw(bucket: str, key: str) -> None:
    """Delete an object that belongs to a document which no longer exists."""
    document = document_of_object(key)
    if document is None or table.get(document) is not None:
        return
    s3.delete_object(Bucket=bucket, Key=key)
    logger.info("upload withdrawn", extra={"key": key})
