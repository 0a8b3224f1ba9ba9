"""Types of requests about projects, documents and jobs, and of their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from handlers.common.job_options import AnalyseOptions, TranslateOptions
from handlers.common.types import Id, Next, Time, User
from schema.limits import (
    PROJECT_DESCRIPTION_CHARACTERS,
    PROJECT_NAME_CHARACTERS,
    PROJECT_SHARES,
    UPLOAD_BYTES,
)
from schema.names import FILE_NAME_CHARACTERS, FILE_NAME_EXPECTED, FILE_NAME_PATTERN, PROJECT_NAME_PATTERN

Kind = Literal["translate", "analyse"]
Status = Literal["running", "completed", "failed", "cancelled", "rejected"]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=PROJECT_NAME_CHARACTERS,
        pattern=PROJECT_NAME_PATTERN,
        description="What people call it",
        examples=["Contracts 2026"],
        extra={"expected": f"1 to {PROJECT_NAME_CHARACTERS} characters, not only spaces, no control characters"},
    ),
]
Description = Annotated[
    str,
    Meta(max_length=PROJECT_DESCRIPTION_CHARACTERS, description="More about it", examples=["All contracts, in German"]),
]
Shares = Annotated[
    list[User], Meta(max_length=PROJECT_SHARES, description="Users who may see the project and work in it")
]
FileName = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=FILE_NAME_CHARACTERS,
        pattern=FILE_NAME_PATTERN,
        description="The file's name; its ending says what it is",
        examples=["contract.docx"],
        extra={"expected": FILE_NAME_EXPECTED},
    ),
]


class NewProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project to create; it belongs to whoever creates it."""

    name: Name
    description: Description | None = None
    shared_with: Shares = msgspec.field(default_factory=list)


class ProjectChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a project; what is absent stays as it is."""

    name: Name | UnsetType = UNSET
    description: Annotated[Description | UnsetType | None, Meta(description="More about it; null removes it")] = UNSET
    shared_with: Shares | UnsetType = UNSET
    active: Annotated[
        bool | UnsetType, Meta(description="Brings an archived project back", extra_json_schema={"enum": [True]})
    ] = UNSET

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if self.active is False:
            raise ValueError("`active`: expected true; a project is archived by DELETE")


class Project(msgspec.Struct, frozen=True):
    """A project: documents and the jobs that work on them."""

    project: Id
    name: Name
    owner: User
    shared_with: Shares
    active: Annotated[bool, Meta(description="False once the project is archived")]
    created_at: Time
    updated_at: Time
    updated_by: User
    description: Description | None = None


class ProjectPage(msgspec.Struct, frozen=True):
    """Some of the caller's projects, newest first."""

    projects: list[Project]
    next: Next


class NewDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that shall be uploaded."""

    name: FileName


class Document(msgspec.Struct, frozen=True):
    """A document of a project."""

    document: Id
    name: FileName
    content_type: Annotated[str, Meta(description="Its media type", examples=["text/plain"])]
    created_by: User
    created_at: Time
    uploaded: Annotated[bool, Meta(description="Whether its content has arrived")] = False
    size: Annotated[int | None, Meta(description="Bytes of its content, once uploaded")] = None


class DocumentPage(msgspec.Struct, frozen=True):
    """Some documents of a project, newest first."""

    documents: list[Document]
    next: Next


class UploadForm(msgspec.Struct, frozen=True):
    """A form to send to Amazon S3 as `multipart/form-data`: its fields first, the file last, in the field `file`."""

    url: Annotated[str, Meta(description="Where to POST the form", extra_json_schema={"format": "uri"})]
    fields: Annotated[dict[str, str], Meta(description="The form's fields, all of which are needed, unchanged")]
    expires_at: Time
    min_bytes: Annotated[int, Meta(description="The least bytes that are accepted")] = 1
    max_bytes: Annotated[int, Meta(description="The most bytes that are accepted")] = UPLOAD_BYTES


class Upload(msgspec.Struct, frozen=True):
    """A document, and the form that uploads its content."""

    document: Document
    form: UploadForm


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
