"""`nlp quotas`: what is used, what is left, and when it renews; and what other commands say of quotas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_api import DOCUMENTS, PROJECT, Answer, ApiServer, Request, answer, problem, running_api
from tests.support.cli_api import announcing as announcing_documents
from tests.support.cli_api import project as described_project

JOBS = f"/projects/{PROJECT}/jobs"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    with running_api(tmp_path) as server:
        yield server


def quota(name: str, of: str, limit: int, used: int | None, renews_at: str | None = None) -> dict[str, Any]:
    left = None if used is None else limit - used
    about = {"quota": name, "description": name, "of": of, "limit": limit}
    return {**about, "used": used, "left": left, "renews_at": renews_at}


def test_all_quotas_are_shown(api: ApiServer) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(hours=3, minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    quotas = [
        quota("characters_per_day", "user", 5_000_000, 1_200_000, tomorrow),
        quota("running_jobs", "user", 3, 3),
        quota("companies", "stack", 5000, None),
    ]
    api.on("GET", "/quotas", answer({"quotas": quotas}))
    result = api.invoke("quotas")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[1][:5] == ["characters_per_day", "you", "1,200,000", "3,800,000", "5,000,000"]
    assert "in 3:0" in result.stdout
    assert lines[2] == ["running_jobs", "you", "3", "0", "3"]
    assert lines[3] == ["companies", "all", "users", "5,000"]
    assert "free again" in result.stderr
    assert api.json("quotas") == quotas


@pytest.mark.parametrize("kind", ["daily-quota", "quota-reached"])
def test_a_quota_that_is_used_up_is_told_in_the_apis_words(api: ApiServer, kind: str) -> None:
    status, headers = (429, {"retry-after": "30000"}) if kind == "daily-quota" else (409, {})
    api.on("POST", JOBS, problem(kind, status, "The limit is 5,000.", **headers))
    error = api.invoke("jobs", "start", "-p", PROJECT, "analyse", code=1).stderr
    assert "The limit is 5,000." in error
    assert len(api.requests) == 1


def test_a_job_is_started_with_a_limit_and_its_bound_is_told(api: ApiServer) -> None:
    job = {"job": "j", "project": PROJECT, "kind": "translate", "at_most": {"characters": 7000, "dollars": 0.21}}
    api.on("POST", JOBS, answer(job, 202))
    result = api.invoke("jobs", "start", "-p", PROJECT, "translate", "--to", "de", "--max-characters", "7000")
    assert result.stdout == "Started translate job j. It sends at most 7,000 characters, for at most 0.21 USD.\n"
    [request] = api.requests
    assert request.json["max_characters"] == 7000


def test_a_limit_that_is_too_high_is_named_by_its_option(api: ApiServer) -> None:
    wrong = [{"field": "max_characters", "expected": "a whole number from 1 to 1000"}]
    api.on("POST", JOBS, problem("invalid-fields", 422, errors=wrong))
    error = api.invoke("jobs", "start", "-p", PROJECT, "analyse", "--max-characters", "2000", code=1).stderr
    assert error == "nlp: Invalid fields: --max-characters: a whole number from 1 to 1000\n"


def test_a_file_that_has_no_room_is_not_sent(api: ApiServer, tmp_path: Path) -> None:
    announce = announcing_documents(api)

    def with_limit(request: Request) -> Answer:
        return Answer(201, announce(request).content.replace(b'"fields"', b'"max_bytes": 5, "fields"'))

    api.on("GET", f"/projects/{PROJECT}", answer(described_project()))
    api.on("POST", DOCUMENTS, with_limit)
    api.on("DELETE", f"{DOCUMENTS}/01939d4a-6c1b-7a4e-8f2d-000000000000", Answer(204))
    file = tmp_path / "large.txt"
    file.write_bytes(b"x" * 6)
    error = api.invoke("documents", "upload", "-p", PROJECT, str(file), code=3).stderr
    assert "it has 6 bytes, and 5 are left of your quotas" in error
    assert [request.path for request in api.requests if request.path == "/bucket"] == []
