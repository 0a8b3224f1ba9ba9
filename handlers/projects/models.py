"""Types of requests about jobs and their results, and of the answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from handlers.common.job_options import AnalyseOptions, TranslateOptions
from handlers.common.types import Id, Next, Time, User

Kind = Literal["translate", "analyse"]
Status = Literal["running", "completed", "failed", "cancelled", "rejected"]


class NewTranslateJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="translate"):
    """Translate all documents of the project."""

    options: TranslateOptions


class NewAnalyseJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="analyse"):
    """Analyse all documents of the project."""

    options: AnalyseOptions = AnalyseOptions()


NewJob = NewTranslateJob | NewAnalyseJob


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
