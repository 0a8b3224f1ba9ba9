"""Lambda function: `GET /projects` lists the caller's projects and those shared with them."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.pagination import decode_cursor, encode_cursor
from handlers.api.support.project_parameters import ProjectsQuery
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.listing import ProjectLists
from handlers.projects.project_models import ProjectPage
from schema.ids import is_id


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
lists = ProjectLists(Table(client("dynamodb"), environment.documents_table))


def list_projects(request: Request) -> Answer:
    """Answer a page of projects."""
    query = request.query(ProjectsQuery)
    position = decode_cursor("projects", query.cursor, is_id)
    found, following = lists.page(request.caller, query.archived, query.limit, position)
    return answer(200, ProjectPage(found, encode_cursor("projects", following)))


handler = endpoint(list_projects)
