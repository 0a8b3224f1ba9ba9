"""Lambda function: `GET /projects/{project}` reads a project."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.access import ProjectAccess


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
projects = ProjectAccess(Table(client("dynamodb"), environment.documents_table))


def get_project(request: Request) -> Answer:
    """Answer the project."""
    return answer(200, projects.get(request.identifier("project"), request.caller))


handler = endpoint(get_project)
