"""Lambda function: `PATCH /projects/{project}` changes a project, for its owner."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.project_models import ProjectChanges
from handlers.projects.projects import Projects


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
projects = Projects(Table(client("dynamodb"), environment.documents_table))


def change_project(request: Request) -> Answer:
    """Answer the project as it is now."""
    changes = request.body(ProjectChanges)
    request.note(fields=sorted(name for name, value in msgspec.structs.asdict(changes).items() if value is not UNSET))
    return answer(200, projects.change(request.identifier("project"), request.caller, changes))


handler = endpoint(change_project)
