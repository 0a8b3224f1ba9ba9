"""Lambda function: `GET /projects/{project}/documents` lists documents, and says which have arrived."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client, s3_client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.pagination import PageQuery, decode_cursor, encode_cursor
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.document_models import DocumentPage
from handlers.projects.documents import Documents
from schema.ids import is_id


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str
    documents_bucket: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)
documents = Documents(table, s3_client(), environment.documents_bucket)


def list_documents(request: Request) -> Answer:
    """Answer a page of documents."""
    query = request.query(PageQuery)
    position = decode_cursor("documents", query.cursor, is_id)
    found, following = documents.list(request.identifier("project"), request.caller, query.limit, position)
    return answer(200, DocumentPage(found, encode_cursor("documents", following)))


handler = endpoint(list_documents)
