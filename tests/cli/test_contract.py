"""The command line's own tables name exactly what the schema declares, and what it looks for in answers exists."""

from __future__ import annotations

from typing import get_args

from cli.commands import jobs, results
from cli.ui.document_files import ENDINGS
from schema.companies import Label
from schema.endpoints import ENDPOINTS
from schema.problems import PROBLEMS
from tests.cli.test_app import invoke


def test_every_label_and_status_has_a_style() -> None:
    assert results.STYLES.keys() == set(get_args(Label))
    assert jobs.STYLES.keys() == set(jobs.STATUSES)


def test_the_help_names_every_type_of_document() -> None:
    shown = invoke("documents", "upload", "--help").stdout
    assert [ending for ending in ENDINGS if ending not in shown] == []


def test_problems_that_get_advice_exist() -> None:
    assert "job-running" in PROBLEMS


def test_requests_that_are_repeated_with_a_key_are_done_once() -> None:
    created = {endpoint.path for endpoint in ENDPOINTS if endpoint.method == "POST" and endpoint.idempotent}
    assert {"/projects", "/projects/{project}/documents", "/projects/{project}/jobs"} <= created
