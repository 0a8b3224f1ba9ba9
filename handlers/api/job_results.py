"""Lambda function: `GET /projects/{project}/jobs/{job}/results` answers links to the files that a job made."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client, s3_client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.job_parameters import ResultsQuery, job_or_latest
from handlers.api.support.pagination import decode_cursor, encode_cursor
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.jobs import Jobs
from handlers.projects.results import Results, is_file


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str
    documents_bucket: str


environment = read_environment(_Environment)
jobs = Jobs(Table(client("dynamodb"), environment.documents_table))
results = Results(s3_client(), environment.documents_bucket)


def list_results(request: Request) -> Answer:
    """Answer a page of links."""
    query = request.query(ResultsQuery)
    position = decode_cursor("results", query.cursor, is_file)
    job_id = job_or_latest(request, query.kind)
    job, prefix = jobs.get_with_results(request.identifier("project"), job_id, request.caller, query.kind)
    page, following = results.list(job, prefix, query.limit, position)
    return answer(200, msgspec.structs.replace(page, next=encode_cursor("results", following)))


handler = endpoint(list_results)
