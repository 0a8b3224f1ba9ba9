"""Lambda function: `GET /quotas` shows what the caller has used of the quotas, and what is left."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client, s3_client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.quotas import read_quotas
from handlers.common.table import Table
from handlers.projects.job_slots import JobSlots
from handlers.projects.quota_models import QuotaList
from handlers.projects.quota_overview import QuotaOverview


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str
    documents_bucket: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)
quotas = read_quotas()
overview = QuotaOverview(table, JobSlots(table, s3_client(), environment.documents_bucket, quotas), quotas)


def get_quotas(request: Request) -> Answer:
    """Answer all quotas."""
    return answer(200, QuotaList(overview.of(request.caller)))


handler = endpoint(get_quotas)
