"""Lambda function: `POST /projects/{project}/documents` announces a document and answers the form that uploads it."""

from __future__ import annotations

import time

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client, s3_client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.idempotency import once
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.quotas import read_quotas
from handlers.common.table import Table
from handlers.projects.document_models import NewDocument
from handlers.projects.documents import Documents, form_seconds


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str
    documents_bucket: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)
documents = Documents(table, s3_client(), environment.documents_bucket, read_quotas())


def create_document(request: Request) -> Answer:
    """Answer the document and its form; a repeated request gets the same document and a form that has not expired."""
    project_id = request.identifier("project")
    new = request.body(NewDocument)

    def create(document_id: str) -> Answer:
        request.note(document=document_id)
        seconds = form_seconds(request.token_seconds(time.time()))
        return answer(201, documents.create(project_id, document_id, new, request.caller, seconds))

    return once(table, request, new, create, keep_answer=False)


handler = endpoint(create_document)
