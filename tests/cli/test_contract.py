"""What the command line knows of the API is what the API says of itself."""

from __future__ import annotations

from typing import get_args

from cli.api import client as api
from cli.api import errors as api_errors
from cli.api import project_names
from cli.commands import jobs
from cli.ui import document_files
from handlers.api.support.pagination import MAX_LIMIT
from handlers.api.support.registry import OPERATIONS
from handlers.common.ids import new_id
from handlers.common.job_options import OPTIONS_OF_KIND
from handlers.common.problems import TYPE_PREFIX
from handlers.projects.models import CONTENT_TYPES, MAX_UPLOAD_BYTES, Kind, Status


def test_documents() -> None:
    assert set(document_files.ENDINGS) == CONTENT_TYPES.keys()
    assert document_files.MAX_BYTES == MAX_UPLOAD_BYTES


def test_jobs() -> None:
    assert get_args(Kind) == jobs.KINDS
    assert get_args(Status) == jobs.STATUSES
    assert {kind: set(fields) for kind, fields in jobs.OF_KIND.items()} == {
        kind: set(options.__struct_fields__) for kind, options in OPTIONS_OF_KIND.items()
    }


def test_requests() -> None:
    assert api.PAGE_SIZE == MAX_LIMIT
    assert api_errors.TYPE_PREFIX == TYPE_PREFIX
    assert project_names.is_id(new_id())
    created = {operation.path for operation in OPERATIONS if operation.method == "POST" and operation.idempotent}
    assert {"/projects", "/projects/{project}/documents", "/projects/{project}/jobs"} <= created
