"""Lambda function: `GET /health` says that the API answers, and which version of it."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.endpoint import endpoint
from handlers.api.support.models import Health
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.times import utc_now


class _Environment(msgspec.Struct, frozen=True):
    version: str


environment = read_environment(_Environment)


def health(_: Request) -> Answer:
    """Answer the version and the time."""
    return answer(200, Health("ok", environment.version, utc_now()))


handler = endpoint(health, public=True)
