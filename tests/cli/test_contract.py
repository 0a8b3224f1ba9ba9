"""The command line's own tables name exactly what the schema declares, and what it looks for in answers exists."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from cli.commands import jobs, observations
from cli.commands.job_options import checked_options, fields_of_flags
from cli.ui.document_files import ENDINGS
from handlers.projects.models import NewJob
from schema.companies import Label
from schema.endpoints import ENDPOINTS
from schema.jobs import KINDS
from schema.problems import PROBLEMS
from tests.cli.test_app import invoke


def test_every_label_and_status_has_a_style() -> None:
    assert observations.STYLES.keys() == set(get_args(Label))
    assert jobs.STYLES.keys() == set(jobs.STATUSES)


def test_the_help_names_every_type_of_document() -> None:
    shown = invoke("documents", "upload", "--help").stdout
    assert [ending for ending in ENDINGS if ending not in shown] == []


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


def test_problems_that_get_advice_exist() -> None:
    assert "job-running" in PROBLEMS


def test_requests_that_are_repeated_with_a_key_are_done_once() -> None:
    created = {endpoint.path for endpoint in ENDPOINTS if endpoint.method == "POST" and endpoint.idempotent}
    assert {"/projects", "/projects/{project}/documents", "/projects/{project}/jobs"} <= created
