"""What the command line knows of the API is what the API says of itself."""

from __future__ import annotations

from typing import get_args

from cli.api import client as api
from cli.api import errors as api_errors
from cli.api import project_names
from cli.commands import jobs
from cli.ui import document_files
from handlers.api.support.registry import OPERATIONS
from handlers.common.ids import new_id
from handlers.common.job_options import OPTIONS_OF_KIND
from handlers.projects.models import Kind, Status
from schema.limits import PAGE_ENTRIES, UPLOAD_BYTES
from schema.names import CONTENT_TYPES
from schema.problems import TYPE_PREFIX


def test_documents() -> None:
    assert set(document_files.ENDINGS) == CONTENT_TYPES.keys()
    assert document_files.MAX_BYTES == UPLOAD_BYTES


def test_jobs() -> None:
    assert get_args(Kind) == jobs.KINDS
    assert get_args(Status) == jobs.STATUSES
    assert {kind: set(fields) for kind, fields in jobs.OF_KIND.items()} == {
        kind: set(options.__struct_fields__) for kind, options in OPTIONS_OF_KIND.items()
    }


def test_requests() -> None:
    assert api.PAGE_SIZE == PAGE_ENTRIES
    assert api_errors.TYPE_PREFIX == TYPE_PREFIX
    assert project_names.is_id(new_id())
    created = {operation.path for operation in OPERATIONS if operation.method == "POST" and operation.idempotent}
    assert {"/projects", "/projects/{project}/documents", "/projects/{project}/jobs"} <= created
