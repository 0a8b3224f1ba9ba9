"""Lambda function: `GET /projects/{project}/jobs` lists jobs, all or those with a status."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.job_parameters import JobsQuery
from handlers.api.support.pagination import decode_cursor, encode_cursor
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.jobs import Jobs
from handlers.projects.models import JobPage
from schema.ids import is_id


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
jobs = Jobs(Table(client("dynamodb"), environment.documents_table))


def list_jobs(request: Request) -> Answer:
    """Answer a page of jobs."""
    query = request.query(JobsQuery)
    position = decode_cursor("jobs", query.cursor, is_id)
    found, following = jobs.list(request.identifier("project"), request.caller, query.status, query.limit, position)
    return answer(200, JobPage(found, encode_cursor("jobs", following)))


handler = endpoint(list_jobs)
