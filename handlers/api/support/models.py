"""Types of answers about the API itself."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from handlers.common.types import Time


class Health(msgspec.Struct, frozen=True):
    """The API answers."""

    status: Literal["ok"]
    version: Annotated[str, Meta(description="What is deployed", examples=["1.4.0"])]
    time: Time


class GatewayMessage(msgspec.Struct, frozen=True):
    """What API Gateway itself answers, where a request does not come as far as the API."""

    message: Annotated[str, Meta(examples=["Unauthorized"])]
