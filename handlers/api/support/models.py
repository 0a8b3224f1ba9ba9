"""What answers hold that belong to the API itself."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from handlers.api.support.pagination import PageQuery
from handlers.projects.models import Kind, Status, Time
from schema.limits import PAGE_COMPANIES, PAGE_ENTRIES


class Health(msgspec.Struct, frozen=True):
    """The API answers."""

    status: Literal["ok"]
    version: Annotated[str, Meta(description="What is deployed", examples=["1.4.0"])]
    time: Time


class GatewayMessage(msgspec.Struct, frozen=True):
    """What API Gateway itself answers, where a request does not come as far as the API."""

    message: Annotated[str, Meta(examples=["Unauthorized"])]


class ProjectsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which projects are wanted."""

    archived: Annotated[bool, Meta(description="List archived projects instead of active ones")] = False


class JobsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which jobs are wanted."""

    status: Annotated[Status | None, Meta(description="Only jobs with this status; all when absent")] = None


class JobQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which job is wanted."""

    kind: Annotated[
        Kind | None, Meta(description="With `latest` in the path: the kind whose last completed job is meant")
    ] = None


class CompaniesQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which companies are wanted, and what of them."""

    limit: Annotated[
        int,
        Meta(
            ge=1,
            le=PAGE_COMPANIES,
            description=f"The most entries to answer; at most {PAGE_ENTRIES} unless `latest` is false",
        ),
    ] = 50
    latest: Annotated[bool, Meta(description="Whether to answer what was observed of each company last")] = True

    def __post_init__(self) -> None:
        """Refuse long pages with observations, which are read in batches of 100."""
        if self.latest and self.limit > PAGE_ENTRIES:
            raise ValueError(f"`limit`: expected at most {PAGE_ENTRIES}, or `latest` false")


class ResultsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which results are wanted."""

    kind: Annotated[
        Kind | None, Meta(description="With `latest` in the path: the kind whose last completed job is meant")
    ] = None
