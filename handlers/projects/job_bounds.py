"""The most that a job can send to paid services, and cost, from the sizes of its documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from schema.job_kind import JobKind
from schema.names import UNCOMPRESSED
from schema.prices import dollars

# Pages of a listing, of 1,000 documents each; a project with more documents has the job's limit as its bound.
_MOST_PAGES = 20


class AtMost(msgspec.Struct, frozen=True):
    """The most that a job can use; it usually uses less."""

    characters: Annotated[int, Meta(ge=0, description="Characters that it sends to paid services")]
    dollars: Annotated[
        float, Meta(ge=0, description="What these cost in US dollars, by list prices and without instance time")
    ]


class Sizes(NamedTuple):
    """Sizes of a project's documents.

    Attributes
    ----------
    documents
        Number of uploaded documents, as far as they were listed.
    characters
        The most characters that they can have; None where that cannot be told by their sizes.
    """

    documents: int
    characters: int | None


def sizes_of(s3: Any, bucket: str, prefix: str) -> Sizes:
    """List the documents of a project.

    A byte of an uncompressed format gives one character at most. What a compressed document holds, its size does not
    say: a few kilobytes can hold millions of characters.

    Parameters
    ----------
    s3
        A client of S3.
    bucket
        Bucket of the documents.
    prefix
        Prefix of the project's documents.
    """
    documents = characters = 0
    is_known = True
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    for _ in range(_MOST_PAGES):
        page = s3.list_objects_v2(**request)
        contents = page.get("Contents", [])
        documents += len(contents)
        characters += sum(content["Size"] for content in contents)
        is_known = is_known and all(_is_uncompressed(content["Key"]) for content in contents)
        if not page["IsTruncated"]:
            return Sizes(documents, characters if is_known else None)
        request["ContinuationToken"] = page["NextContinuationToken"]
    return Sizes(documents, None)


def at_most(kind: JobKind, options: Mapping[str, Any], max_characters: int, sizes: Sizes) -> AtMost:
    """Bound what a job sends and costs.

    Parameters
    ----------
    kind, options
        Kind of the job, and its options including defaults.
    max_characters
        The most characters that the job may send; it refuses to send more.
    sizes
        Sizes of its documents. Those that arrive before the job reads them count towards `max_characters` only.
    """
    if not kind.is_paid(options):
        return AtMost(0, 0.0)
    characters = max_characters if sizes.characters is None else min(max_characters, sizes.characters)
    return AtMost(characters, dollars(kind.most_usage(options, characters, sizes.documents)))


def _is_uncompressed(key: str) -> bool:
    return PurePosixPath(key).suffix.lower() in UNCOMPRESSED
