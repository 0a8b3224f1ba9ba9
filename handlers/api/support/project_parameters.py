"""Parameters of the endpoints of projects."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from handlers.api.support.pagination import PageQuery


class ProjectsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which projects are wanted."""

    archived: Annotated[bool, Meta(description="List archived projects instead of active ones")] = False
