"""Types of fields that requests and answers of several topics have."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from schema.ids import ID_PATTERN

Id = Annotated[
    str,
    Meta(
        pattern=ID_PATTERN,
        description="A UUID of version 7",
        examples=["01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20"],
    ),
]
Time = Annotated[
    str,
    Meta(
        description="UTC, ISO 8601",
        examples=["2026-11-21T06:52:00Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Next = Annotated[str | None, Meta(description="Cursor of the next page; null on the last one")]
User = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"\A[\x21-\x7E]+\Z",  # ASCII, as OpenID Connect says
        description="A user: the claim `sub` of their token",
        examples=["5d2f8c1e-7b64-4f0a-9c3d-1e2f3a4b5c6d"],
        extra={"expected": "the `sub` of a user: 1 to 255 visible characters of ASCII"},
    ),
]
