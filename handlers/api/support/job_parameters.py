"""Parameters of the endpoints of jobs: in paths and query strings."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from handlers.api.support.pagination import PageQuery
from handlers.api.support.requests import Request
from handlers.common.problems import FieldError, invalid
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


class JobsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which jobs are wanted."""

    status: Annotated[Status | None, Meta(description="Only jobs with this status; all when absent")] = None


class JobQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which job is wanted."""

    kind: KindOfLatest = None


class ResultsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Which results are wanted."""

    kind: KindOfLatest = None


def job_or_latest(request: Request, kind: Kind | None) -> str:
    """Read the parameter `job` of a path: an id, or `latest`, which needs a kind.

    Raises
    ------
    Problem
        It is neither, or the kind is missing.
    """
    if request.path_parameters.get("job") != LATEST:
        return request.identifier("job")
    if kind is None:
        raise invalid(FieldError("kind", "with `latest`, the kind of job"))
    return LATEST
