"""Lambda function: `DELETE /companies/{name}` stops watching a company; what was observed of it stays."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, no_content
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.companies.names import name_in_path
from handlers.companies.watchlist import WatchList
from schema.names import stored_company_name


class _Environment(msgspec.Struct, frozen=True):
    companies_table: str


environment = read_environment(_Environment)
watch_list = WatchList(client("dynamodb"), environment.companies_table)


def delete_company(request: Request) -> Answer:
    """Answer that it is not watched any more."""
    watch_list.delete(name_in_path(request.raw_path, stored_company_name))
    return no_content()


handler = endpoint(delete_company)
