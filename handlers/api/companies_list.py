"""Lambda function: `GET /companies` lists the companies that are watched, each with what was observed last."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.company_parameters import CompaniesQuery
from handlers.api.support.endpoint import endpoint
from handlers.api.support.pagination import decode_cursor, encode_cursor
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.companies.watchlist import WatchList
from schema.names import is_company_key


class _Environment(msgspec.Struct, frozen=True):
    companies_table: str
    observations_table: str


environment = read_environment(_Environment)
watch_list = WatchList(client("dynamodb"), environment.companies_table, environment.observations_table)


def list_companies(request: Request) -> Answer:
    """Answer a page of companies."""
    query = request.query(CompaniesQuery)
    position = decode_cursor("companies", query.cursor, is_company_key)
    page, following = watch_list.page(query.limit, position, query.latest)
    return answer(200, msgspec.structs.replace(page, next=encode_cursor("companies", following)))


handler = endpoint(list_companies)
