"""What the command line knows of the API is what the API says of itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cli.api import client as api
from cli.api import errors as api_errors
from cli.api import project_names
from cli.commands.job_options import checked_options, fields_of_flags
from cli.ui import document_files
from handlers.api.support.registry import OPERATIONS
from handlers.common.ids import new_id
from handlers.projects.models import NewJob
from schema.jobs import KINDS
from schema.limits import PAGE_ENTRIES, UPLOAD_BYTES
from schema.names import CONTENT_TYPES
from schema.problems import TYPE_PREFIX


def test_documents() -> None:
    assert set(document_files.ENDINGS) == CONTENT_TYPES.keys()
    assert document_files.MAX_BYTES == UPLOAD_BYTES


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("translate", {"to": "de", "from": "en", "engine": "marian"}),
        ("analyse", {"language": "en", "topics": 20, "summary_sentences": 10}),
    ],
)
def test_jobs(kind: str, values: dict[str, Any]) -> None:
    """The API accepts what every option of a kind fills, and names the same fields when it refuses them."""
    options = checked_options(kind, values)
    assert len(options) == len(KINDS[kind].options) == len(values)
    job = msgspec.convert({"kind": kind, "options": options}, NewJob)
    assert msgspec.to_builtins(job.options) == options
    assert set(fields_of_flags(kind).values()) == set(job.options.__struct_fields__)


def test_requests() -> None:
    assert api.PAGE_SIZE == PAGE_ENTRIES
    assert api_errors.TYPE_PREFIX == TYPE_PREFIX
    assert project_names.is_id(new_id())
    created = {operation.path for operation in OPERATIONS if operation.method == "POST" and operation.idempotent}
    assert {"/projects", "/projects/{project}/documents", "/projects/{project}/jobs"} <= created
