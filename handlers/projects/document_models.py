"""Types of requests about documents, and of their answers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from handlers.common.types import Id, Next, Time, User
from schema.limits import UPLOAD_BYTES
from schema.names import DOCUMENT_NAME_BYTES, FILE_NAME_EXPECTED, FILE_NAME_PATTERN

FileName = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=DOCUMENT_NAME_BYTES,
        pattern=FILE_NAME_PATTERN,
        description="The file's name; its ending says what it is",
        examples=["contract.docx"],
        extra={"expected": FILE_NAME_EXPECTED},
    ),
]

# Older names may have other characters.
StoredFileName = Annotated[
    str, Meta(description="The file's name; its ending says what it is", examples=["contract.docx"])
]


class NewDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that shall be uploaded."""

    name: FileName


class Document(msgspec.Struct, frozen=True):
    """A document of a project."""

    document: Id
    name: StoredFileName
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
