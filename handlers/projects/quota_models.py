"""Types of answers about quotas."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from handlers.common.types import Amount, Time


class QuotaUse(msgspec.Struct, frozen=True):
    """A quota, and what is used of it."""

    quota: Annotated[str, Meta(description="Its name", examples=["characters_per_day"])]
    description: Annotated[str, Meta(description="What it limits", examples=["characters per day"])]
    of: Annotated[
        Literal["user", "project", "stack"],
        Meta(description="Whether each user, each project, or all users together have so much"),
    ]
    limit: Annotated[Amount, Meta(description="How much it allows", examples=[5000000])]
    used: Annotated[Amount | None, Meta(description="What is used of it; null where that is not told here")] = None
    left: Annotated[Amount | None, Meta(description="What is left of it")] = None
    renews_at: Annotated[Time | None, Meta(description="When it renews, where it renews by itself")] = None


class QuotaList(msgspec.Struct, frozen=True):
    """All quotas, as they are for the caller."""

    quotas: list[QuotaUse]
