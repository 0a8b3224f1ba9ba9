"""What endpoints import: how long it takes, which the first request after a while waits for, and how much it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.handlers.api.harness import NAMES
from tests.support.operations import BY_SCRIPT

ROOT = Path(__file__).parents[3]
BUDGET_SECONDS = 0.25
# Processor time of this process alone, so that a busy machine is no slow function.
MEASURE = """
import sys, time
import boto3, botocore.config, botocore.exceptions
for service in ("dynamodb", "s3", "stepfunctions", "comprehend"):
    boto3.client(service)
started = time.process_time()
__import__("handlers.api." + sys.argv[1])
print(time.process_time() - started)
"""


@pytest.mark.parametrize("script", ["openapi", "jobs_create", "sentiment"])
def test_an_endpoint_starts_quickly_besides_boto3(script: str) -> None:
    settings = {**NAMES, "STATE_MACHINES": "{}", "AWS_DEFAULT_REGION": "eu-central-1"}
    command = [sys.executable, "-c", MEASURE, script]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=True)
    assert float(ran.stdout) < BUDGET_SECONDS


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """By script, all modules of the project that it imports, directly or not."""
    graph = grimp.build_graph("handlers", "schema", cache_dir=None)
    return {script: graph.find_upstream_modules(f"handlers.api.{script}") for script in BY_SCRIPT}


def test_no_function_imports_what_is_for_the_document_alone(imports: dict[str, set[str]]) -> None:
    document = {"handlers.api.support.description", "handlers.api.support.registry", "schema.endpoints"}
    assert {script: modules & document for script, modules in imports.items() if modules & document} == {}


def test_a_topics_functions_do_not_import_another_topic(imports: dict[str, set[str]]) -> None:
    companies, projects = ("handlers.companies", "schema.companies"), ("handlers.projects",)
    texts = ("handlers.texts", "handlers.sentiment", "schema.companies")
    own = {
        "Companies": companies,
        "Projects": projects,
        "Documents": projects,
        "Jobs": projects,
        "Sentiment": texts,
        "API": (),
    }
    topical = {*companies, *projects, *texts}
    for script, modules in imports.items():
        others = tuple(topical - set(own.get(BY_SCRIPT[script].group, topical)))
        assert {one for one in modules if others and one.startswith(others)} == set(), script


def test_kinds_of_jobs_concern_jobs_archiving_and_quotas_alone(imports: dict[str, set[str]]) -> None:
    """A project is archived only while no job of any kind runs, and jobs that have ended hold no slots."""
    concerned = {script for script, modules in imports.items() if "schema.jobs" in modules}
    assert concerned == {
        "project_archive",
        "quotas_get",
        *(one.script for one in BY_SCRIPT.values() if one.group == "Jobs"),
    }
