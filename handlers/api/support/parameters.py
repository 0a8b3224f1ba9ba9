"""Types of parameters: of query strings, and of paths where they are no ids."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from handlers.api.support.pagination import PageQuery
from handlers.projects.models import Kind, Status
from schema.ids import ID_PATTERN
from schema.jobs import LATEST

JobOrLatest = Annotated[
    str,
    Meta(
        description="Id of the job, or `latest`",
        extra_json_schema={"anyOf": [{"type": "string", "pattern": ID_PATTERN}, {"const": LATEST}]},
    ),
]
KindOfLatest = Annotated[
    Kind | None, Meta(description="With `latest` in the path: the kind whose last completed job is meant")
]


class ProjectsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which projects are wanted."""

    archived: Annotated[bool, Meta(description="List archived projects instead of active ones")] = False


class JobsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which jobs are wanted."""

    status: Annotated[Status | None, Meta(description="Only jobs with this status; all when absent")] = None


class JobQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which job is wanted."""

    kind: KindOfLatest = None


class ResultsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which results are wanted."""

    kind: KindOfLatest = None
