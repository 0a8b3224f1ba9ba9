"""Lambda function: `POST /sentiment` analyses up to 25 texts now."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.idempotency import once
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.table import Table
from handlers.texts.analysing import analyse
from handlers.texts.models import NewSentiments


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)
comprehend = client("comprehend")


def analyse_texts(request: Request) -> Answer:
    """Answer a sentiment for each text."""
    new = request.body(NewSentiments)
    request.note(texts=len(new.texts))
    return once(table, request, new, lambda _: answer(200, analyse(comprehend, new)))


handler = endpoint(analyse_texts)
