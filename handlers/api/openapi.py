"""Lambda function: `GET /openapi.json` describes this API."""

from __future__ import annotations

from handlers.api.support.answers import Answer
from handlers.api.support.description import description_json
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request

document = description_json()


def describe(_: Request) -> Answer:
    """Answer the OpenAPI document, which is the same for everybody until the next deployment."""
    return Answer(200, document, {"cache-control": "public, max-age=300"})


handler = endpoint(describe, public=True)
