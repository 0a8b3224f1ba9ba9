"""Lambda function: `PUT /companies/{name}` has a company watched."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.companies.models import CompanyChanges
from handlers.companies.names import checked_page, name_in_path
from handlers.companies.watchlist import WatchList


class _Environment(msgspec.Struct, frozen=True):
    companies_table: str


environment = read_environment(_Environment)
watch_list = WatchList(client("dynamodb"), environment.companies_table)


def put_company(request: Request) -> Answer:
    """Answer the company, with 201 where it is new."""
    page = checked_page(request.body(CompanyChanges).page)
    company, is_new = watch_list.put(name_in_path(request.raw_path), page, request.caller)
    request.note(new=is_new)
    return answer(201 if is_new else 200, company)


handler = endpoint(put_company)
