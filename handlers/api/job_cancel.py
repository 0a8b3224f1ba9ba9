"""Lambda function: `DELETE /projects/{project}/jobs/{job}` cancels a job that runs."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.executions import Executions
from handlers.projects.jobs import Jobs


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
jobs = Jobs(Table(client("dynamodb"), environment.documents_table))
executions = Executions(client("stepfunctions"))


def cancel_job(request: Request) -> Answer:
    """Answer the job, which is cancelled now or since before."""
    project_id, job_id = request.identifier("project"), request.identifier("job")
    return answer(200, jobs.cancel(project_id, job_id, request.caller, executions))


handler = endpoint(cancel_job)
