"""Types of requests about jobs and their results, and of the answers."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from handlers.common.job_options import OPTIONS_OF_KIND, type_prefix
from handlers.common.types import Id, Next, Time, User
from handlers.projects.job_bounds import AtMost
from schema.job_kind import JobKind
from schema.jobs import KINDS, Status

if TYPE_CHECKING:
    Kind = str
else:
    Kind = Literal[tuple(KINDS)]


MaxCharacters = Annotated[
    int,
    Meta(ge=1, description="The most characters that the job may send to paid services; it refuses to send more"),
]


class JobRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """A job to start; each kind has a type of its own, whose options are checked."""

    options: Any
    max_characters: Any = None

    @property
    def kind(self) -> JobKind:
        """Kind of the job."""
        return KINDS[str(self.__struct_config__.tag)]


_OPTIONAL_LIMIT = Annotated[
    MaxCharacters | None, Meta(description="The most characters to send; the stack's limit when absent")
]


def _request_type(kind: JobKind) -> Any:
    """Make the type of requests for a kind, such as `NewTranslateJob`; it needs no options where none is required."""
    options = OPTIONS_OF_KIND[kind.name]
    needs_options = any(option.required for option in kind.options)
    return msgspec.defstruct(
        f"New{type_prefix(kind)}Job",
        [
            ("options", options) if needs_options else ("options", options, options()),
            ("max_characters", _OPTIONAL_LIMIT, None),
        ],
        bases=(JobRequest,),
        namespace={"__doc__": kind.summary},
        module=__name__,
        frozen=True,
        forbid_unknown_fields=True,
        tag_field="kind",
        tag=kind.name,
    )


NewJob = reduce(operator.or_, map(_request_type, KINDS.values()))


class Job(msgspec.Struct, frozen=True):
    """A run over all documents of a project."""

    job: Id
    project: Id
    kind: Kind
    options: Annotated[dict[str, Any], Meta(description="How it works, as it was asked for")]
    status: Annotated[Status, Meta(description="`rejected`: another job of its kind was running")]
    requested_by: User
    requested_at: Time
    started_at: Annotated[Time | None, Meta(description="When its work began")] = None
    finished_at: Annotated[Time | None, Meta(description="When it ended, in whichever way")] = None
    cause: Annotated[str | None, Meta(description="Why it failed or was cancelled or rejected")] = None
    max_characters: Annotated[
        MaxCharacters | None, Meta(description="The most characters that it may send to paid services")
    ] = None
    at_most: Annotated[
        AtMost | None, Meta(description="A bound of what it sends and costs, from the sizes of its documents")
    ] = None


class JobPage(msgspec.Struct, frozen=True):
    """Some jobs of a project, newest first."""

    jobs: list[Job]
    next: Next


class Result(msgspec.Struct, frozen=True):
    """A file that a job made."""

    name: Annotated[str, Meta(description="Its path among the job's results", examples=["report.json"])]
    size: Annotated[int, Meta(ge=0, description="Bytes")]
    url: Annotated[
        str, Meta(description="Link to its content, which needs no token", extra_json_schema={"format": "uri"})
    ]


class ResultPage(msgspec.Struct, frozen=True):
    """Some files that a job made, by name."""

    job: Id
    results: list[Result]
    expires_at: Annotated[Time, Meta(description="When the links end")]
    next: Next
