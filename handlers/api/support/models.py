"""What answers hold that belong to the API itself."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from handlers.api.support.pagination import PageQuery
from handlers.projects.models import Kind, Status, Time


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


class ResultsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which results are wanted."""

    kind: Annotated[
        Kind | None, Meta(description="With `latest` in the path: the kind whose last completed job is meant")
    ] = None
