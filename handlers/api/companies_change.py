"""Lambda function: `POST /companies` adds, changes, renames and removes up to 100 companies."""

from __future__ import annotations

from collections import Counter

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.companies.changes import CompanyChanges
from handlers.companies.models import ManyChanges, ManyResults


class Environment(msgspec.Struct, frozen=True):
    """Environment variables of this function."""

    companies_table: str


environment = read_environment(Environment)
companies = CompanyChanges(client("dynamodb"), environment.companies_table)


def change_companies(request: Request) -> Answer:
    """Answer what became of each change."""
    results = companies.make(request.body(ManyChanges).changes, request.caller)
    request.note(**Counter(result.result for result in results))
    return answer(200, ManyResults(results))


handler = endpoint(change_companies)
