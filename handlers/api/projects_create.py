"""Lambda function: `POST /projects` creates a project that belongs to the caller."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.idempotency import once
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.quotas import read_quotas
from handlers.common.table import Table
from handlers.projects.project_models import NewProject
from handlers.projects.projects import Projects


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)
projects = Projects(table, read_quotas())


def create_project(request: Request) -> Answer:
    """Answer the new project."""
    new = request.body(NewProject)

    def create(project_id: str) -> Answer:
        project = projects.create(project_id, new, request.caller)
        return answer(201, project, location=f"/projects/{project_id}")

    return once(table, request, new, create)


handler = endpoint(create_project)
