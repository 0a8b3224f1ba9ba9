"""Lambda function: `GET /openapi.json` describes this API."""

from __future__ import annotations

from pathlib import Path

import msgspec

from handlers.api.support.answers import Answer
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request

ROOT = Path(__file__).parents[2]
# In the function's bundle the document is beside `handlers/`; in the project it is in `docs/`.
FILES = (ROOT / "openapi.json", ROOT / "docs" / "openapi.json")


def read_document() -> str:
    """Read the OpenAPI document, and write it on one line."""
    return msgspec.json.format(next(path for path in FILES if path.exists()).read_text(), indent=-1)


document = read_document()


def describe(_: Request) -> Answer:
    """Answer the OpenAPI document, which is the same for everybody until the next deployment."""
    return Answer(200, document, {"cache-control": "public, max-age=300"})


handler = endpoint(describe, public=True)
