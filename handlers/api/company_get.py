"""Lambda function: `GET /companies/{name}` reads a company and what was observed of it, newest first."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.pagination import PageQuery, decode_cursor, encode_cursor
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.companies.names import name_in_path
from handlers.companies.watchlist import WatchList
from schema.companies import is_run
from schema.names import stored_company_name


class _Environment(msgspec.Struct, frozen=True):
    companies_table: str
    observations_table: str


environment = read_environment(_Environment)
watch_list = WatchList(client("dynamodb"), environment.companies_table, environment.observations_table)


def get_company(request: Request) -> Answer:
    """Answer the company with a page of its history."""
    query = request.query(PageQuery)
    position = decode_cursor("history", query.cursor, is_run)
    page, following = watch_list.history(name_in_path(request.raw_path, stored_company_name), query.limit, position)
    return answer(200, msgspec.structs.replace(page, next=encode_cursor("history", following)))


handler = endpoint(get_company)
