"""What the tests of quotas share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.common.quotas import Characters
from handlers.common.table import Table
from handlers.companies.changes import CompanyChanges
from handlers.companies.watchlist import WatchList
from handlers.projects.documents import Documents
from handlers.projects.job_slots import JobSlots
from handlers.projects.projects import Projects
from handlers.projects.quota_overview import QuotaOverview
from handlers.projects.starting import JobStarter
from schema.quotas import Quotas, day_key
from tests.handlers.api.harness import NAMES, Api, Response, User

BUCKET = NAMES["DOCUMENTS_BUCKET"]
LONG_AGO = "2026-01-01T00:00:00Z"
MARIAN = {"kind": "translate", "options": {"target": "de", "source": "en", "engine": "marian"}}
Limit = Callable[..., None]


@pytest.fixture
def limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Gives all functions other quotas; those that are not named stay far away."""

    def apply(max_characters: int = 1000, **values: int) -> None:
        quotas = Quotas(**{"stack_running_jobs": 300, "stack_characters_per_day": 10**12, **values})
        table = Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"])
        slots = JobSlots(table, api.s3, BUCKET, quotas)
        starter = JobStarter(
            table, api.s3, api.stepfunctions, BUCKET, api.state_machines, False, max_characters, quotas
        )
        replacements: dict[tuple[str, str], Any] = {
            ("sentiment", "characters"): Characters(table, quotas),
            ("jobs_create", "starter"): starter,
            ("projects_create", "projects"): Projects(table, quotas),
            ("project_change", "projects"): Projects(table, quotas),
            ("documents_create", "documents"): Documents(table, api.s3, BUCKET, quotas),
            ("companies_change", "companies"): CompanyChanges(api.dynamodb, NAMES["COMPANIES_TABLE"], quotas.companies),
            ("company_put", "watch_list"): WatchList(api.dynamodb, NAMES["COMPANIES_TABLE"], limit=quotas.companies),
            ("quotas_get", "overview"): QuotaOverview(table, slots, quotas),
        }
        for (script, name), value in replacements.items():
            monkeypatch.setattr(api.modules[script], name, value)

    return apply


def assert_over(response: Response, status: int, quota: str, left: int) -> None:
    """Check that a refusal says which quota is used up, what is left, and when it renews."""
    problem = response.json
    assert (response.status, problem["quota"], problem["left"]) == (status, quota, left), response
    assert problem["limit"] > 0
    if status == 429:
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        assert problem["renews_at"] == tomorrow.strftime("%Y-%m-%dT%H:%M:%SZ")
        seconds = (tomorrow - datetime.now(UTC)).total_seconds()
        assert int(response.headers["retry-after"]) == pytest.approx(seconds, abs=5)
    else:
        assert "renews_at" not in problem
        assert "retry-after" not in response.headers


def item(api: Api, key: tuple[str, str]) -> dict[str, Any]:
    found = Table(api.dynamodb, NAMES["DOCUMENTS_TABLE"]).get(key)
    return found or {}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def characters(api: Api, user: str) -> int:
    return item(api, day_key(user, today())).get("characters", 0)


def texts(number: int, **more: Any) -> dict[str, Any]:
    """Texts for which Comprehend bills so many hundreds of characters."""
    return {"texts": ["x" * 300] * (number // 3), **more}


def quotas_of(user: User) -> dict[str, dict[str, Any]]:
    return {one["quota"]: one for one in user.ok("quotas_get")["quotas"]}
