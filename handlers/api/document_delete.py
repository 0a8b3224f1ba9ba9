"""Lambda function: `DELETE /projects/{project}/documents/{document}` deletes a document and its content."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, no_content
from handlers.api.support.clients import client, s3_client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.documents import Documents


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str
    documents_bucket: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)
documents = Documents(table, s3_client(), environment.documents_bucket)


def delete_document(request: Request) -> Answer:
    """Answer that it is deleted."""
    documents.delete(request.identifier("project"), request.identifier("document"), request.caller)
    return no_content()


handler = endpoint(delete_document)
