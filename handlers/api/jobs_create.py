"""Lambda function: `POST /projects/{project}/jobs` starts a job over all documents of a project."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client, s3_client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.idempotency import once
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.projects.models import Kind, NewJob
from handlers.projects.starting import JobStarter


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str
    documents_bucket: str
    state_machines: str
    isolated_translation: bool = False


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)
state_machines = msgspec.json.decode(environment.state_machines, type=dict[Kind, str])
starter = JobStarter(
    table,
    s3_client(),
    client("stepfunctions"),
    environment.documents_bucket,
    state_machines,
    environment.isolated_translation,
)


def create_job(request: Request) -> Answer:
    """Answer the job that was started."""
    project_id = request.identifier("project")
    new: Any = request.body(NewJob)  # pyright: ignore[reportArgumentType] - a union of structs
    request.note(kind=new.kind.name)

    def create(job_id: str) -> Answer:
        job = starter.start(project_id, job_id, new, request.caller)
        return answer(202, job, location=f"/projects/{project_id}/jobs/{job_id}")

    return once(table, request, new, create)


handler = endpoint(create_job)
