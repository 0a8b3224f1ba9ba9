"""Lambda function: `GET /projects/{project}/jobs/{job}` reads a job, or the last completed one of a kind."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.job_parameters import JobQuery, job_or_latest
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.jobs import Jobs


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
jobs = Jobs(Table(client("dynamodb"), environment.documents_table))


def get_job(request: Request) -> Answer:
    """Answer the job."""
    kind = request.query(JobQuery).kind
    job_id = job_or_latest(request, kind)
    return answer(200, jobs.get(request.identifier("project"), job_id, request.caller, kind))


handler = endpoint(get_job)
