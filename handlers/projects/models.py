"""Projects, documents and jobs: what requests bring and answers hold."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from handlers.common.ids import ID_PATTERN
from handlers.common.job_options import OPTIONS_OF_KIND, type_prefix
from handlers.common.patterns import one_line
from schema.job_kind import JobKind
from schema.jobs import KINDS, Status

# One transaction of DynamoDB, 100 actions, replaces them all: 49 leave, 49 come, and the project itself changes.
MAX_SHARES = 49
MAX_UPLOAD_BYTES = 100 * 1024 * 1024
LINK_SECONDS = 900
# Linux, where jobs run, and the file systems of most readers.
MAX_FILE_NAME_BYTES = 255
CONTENT_TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".html": "text/html",
}
_EXAMPLE_ID = "01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20"
_EXAMPLE_TIME = "2026-11-21T06:52:00Z"

if TYPE_CHECKING:
    Kind = str
else:
    Kind = Literal[tuple(KINDS)]
Id = Annotated[str, Meta(pattern=ID_PATTERN, description="A UUID of version 7", examples=[_EXAMPLE_ID])]
Time = Annotated[
    str, Meta(description="UTC, ISO 8601", examples=[_EXAMPLE_TIME], extra_json_schema={"format": "date-time"})
]
Next = Annotated[str | None, Meta(description="Cursor of the next page; null on the last one")]
User = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7E]+$",  # ASCII, as OpenID Connect says
        description="A user: the claim `sub` of their token",
        examples=["5d2f8c1e-7b64-4f0a-9c3d-1e2f3a4b5c6d"],
        extra={"expected": "the `sub` of a user: 1 to 255 visible characters of ASCII"},
    ),
]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=one_line(r"\x00-\x1F\x7F"),
        description="What people call it",
        examples=["Contracts 2026"],
        extra={"expected": "1 to 200 characters, not only spaces, no control characters"},
    ),
]
Description = Annotated[str, Meta(max_length=2000, description="More about it", examples=["All contracts, in German"])]
Shares = Annotated[list[User], Meta(max_length=MAX_SHARES, description="Users who may see the project and work in it")]
FileName = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=200,
        # Endings in any case, in the words of every dialect of regular expressions.
        pattern=r"^[^/\\\x00-\x1F\x7F]+\.([Dd][Oo][Cc][Xx]|[Tt][Xx][Tt]|[Mm][Dd]|[Hh][Tt][Mm][Ll])$",
        description="The file's name; its ending says what it is",
        examples=["contract.docx"],
        extra={"expected": "a file name ending in .docx, .txt, .md or .html, 4 to 200 characters, without slashes"},
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
    max_bytes: Annotated[int, Meta(description="The most bytes that are accepted")] = MAX_UPLOAD_BYTES


class Upload(msgspec.Struct, frozen=True):
    """A document, and the form that uploads its content."""

    document: Document
    form: UploadForm


class JobRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """A job to start; each kind has a type of its own, whose options are checked."""

    options: Any

    @property
    def kind(self) -> JobKind:
        """Kind of the job."""
        return KINDS[str(self.__struct_config__.tag)]


def _request_type(kind: JobKind) -> Any:
    """Make the type of requests for a kind, such as `NewTranslateJob`; it needs no options where none is required."""
    options = OPTIONS_OF_KIND[kind.name]
    needs_options = any(option.required for option in kind.options)
    return msgspec.defstruct(
        f"New{type_prefix(kind)}Job",
        [("options", options) if needs_options else ("options", options, options())],
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
