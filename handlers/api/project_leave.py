"""Lambda function: `DELETE /projects/{project}/members/me` takes the caller out of a shared project."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, no_content
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.leaving import leave


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)


def leave_project(request: Request) -> Answer:
    """Answer that they have left."""
    leave(table, request.identifier("project"), request.caller)
    return no_content()


handler = endpoint(leave_project)
