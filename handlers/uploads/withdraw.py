"""Lambda function: deletes uploads that do not count.

A form is valid for 15 minutes, whatever happens meanwhile: its document can be deleted, its project archived, and
whoever announced the document can lose the right to write. A form can also be sent more than once. S3 invokes this
function for every upload. The first one that arrives while its project is active and its creator may write counts.
Every other one is deleted, so that it is no input of jobs.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import msgspec

from handlers.common.clients import aws_client
from handlers.common.environment import read_environment
from handlers.common.logs import logger, start_request
from handlers.common.table import RefusedError, Table
from handlers.projects.access import may_see
from handlers.projects.project_models import Project
from schema.projects import DOCUMENT_VERSION, PARTITION_KEY, PROJECT, Key, document_of_object

# The document exists, and no other upload of it counts.
_FIRST = (
    f"attribute_exists({PARTITION_KEY}) AND (attribute_not_exists(#{DOCUMENT_VERSION}) OR #{DOCUMENT_VERSION} = :this)"
)


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
table = Table(aws_client("dynamodb"), environment.documents_table)
s3 = aws_client("s3")


def handler(event: dict[str, Any], context: Any) -> None:
    """Delete the uploads of an event of S3 that do not count. A repeated event changes nothing."""
    start_request(context)
    for record in event.get("Records", []):  # S3's test event has none
        uploaded = record["s3"]["object"]
        key, version = unquote_plus(uploaded["key"]), uploaded["versionId"]
        document_key = document_of_object(key)
        if document_key and not counts(document_key, version):
            # The version alone: an earlier upload, which may count, is the object's content again.
            s3.delete_object(Bucket=record["s3"]["bucket"]["name"], Key=key, VersionId=version)
            logger.info("upload withdrawn", extra={"key": key})


def counts(document_key: Key, version: str) -> bool:
    """Decide whether an upload counts, and note that no later one does.

    Parameters
    ----------
    document_key
        Key of the document's item.
    version
        Version of the object that the upload made.
    """
    document, project = table.get_all([document_key, (document_key[0], PROJECT)])
    if document is None or project is None or not _may_write(msgspec.convert(project, Project), document["created_by"]):
        return False
    try:
        table.update(document_key, {DOCUMENT_VERSION: version}, _FIRST, {"this": version})
    except RefusedError:
        return False
    return True


def _may_write(project: Project, user: str) -> bool:
    return project.active and may_see(project, user)
