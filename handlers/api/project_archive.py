"""Lambda function: `DELETE /projects/{project}` archives a project, for its owner."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, no_content
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.archiving import archive


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)


def archive_project(request: Request) -> Answer:
    """Answer that it is archived, now or since before."""
    archive(table, request.identifier("project"), request.caller)
    return no_content()


handler = endpoint(archive_project)
