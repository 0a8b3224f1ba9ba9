"""What is answered when a request is refused: problem details, as RFC 9457 describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

TYPE_PREFIX = "urn:cloud-nlp:problem:"

# Last part of the problem's type -> status and title.
KINDS: dict[str, tuple[int, str]] = {
    "malformed-request": (400, "The request cannot be read"),
    "malformed-cursor": (400, "The cursor is not one of this list"),
    "not-signed-in": (401, "Sign-in is needed"),
    "not-the-owner": (403, "Only the owner may do this"),
    "not-found": (404, "There is nothing here"),
    "job-running": (409, "A job of this kind is running"),
    "job-not-running": (409, "The job is not running"),
    "job-not-completed": (409, "The job has no results"),
    "no-documents": (409, "The project has no uploaded documents"),
    "project-archived": (409, "The project is archived"),
    "project-changed": (409, "The project was changed by somebody else"),
    "idempotency-key-in-use": (409, "The idempotency key is in use"),
    "request-too-large": (413, "The request is too large"),
    "not-json": (415, "The request's content type is not supported"),
    "invalid-fields": (422, "Some fields are wrong"),
    "too-many-requests": (429, "Too many requests"),
    "unexpected": (500, "Something unexpected went wrong"),
    "unavailable": (503, "The service is not available at the moment"),
}


class FieldError(msgspec.Struct, frozen=True):
    """A field that is wrong, and what it should be."""

    field: Annotated[str, Meta(description="Path of the field", examples=["options.target", "texts[3]"])]
    expected: Annotated[str, Meta(description="What was expected there", examples=["1 to 200 characters"])]


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True, rename={"kind": "type"}):
    """Why a request was refused (RFC 9457)."""

    kind: Annotated[str, Meta(description="Names the kind of problem", examples=[TYPE_PREFIX + "invalid-fields"])]
    title: Annotated[str, Meta(description="The kind of problem in words", examples=["Some fields are wrong"])]
    status: Annotated[int, Meta(ge=400, le=599, description="The HTTP status", examples=[422])]
    detail: Annotated[str, Meta(description="What is wrong with this request", examples=["name: 1 to 200 characters"])]
    errors: Annotated[tuple[FieldError, ...], Meta(description="The fields that are wrong")] = ()


class Problem(Exception):  # noqa: N818 - RFC 9457's word for it
    """A request is refused.

    Parameters
    ----------
    kind
        A key of `KINDS`.
    detail
        What is wrong with this request, in words for its sender.
    errors
        The fields that are wrong.
    retry_after
        In how many seconds it makes sense to try again; 0 where that would not help.
    recorded
        The refusal itself was recorded: a request repeated with its idempotency key is to be answered the same.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        retry_after: int = 0,
        recorded: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status, title = KINDS[kind]
        self.details = ProblemDetails(TYPE_PREFIX + kind, title, self.status, detail, tuple(errors))
        self.retry_after = retry_after
        self.recorded = recorded


def not_found(what: str, is_shared: bool = True) -> Problem:
    """Refuse what is not there, or not the caller's: which of them is not told.

    Parameters
    ----------
    what
        Such as `project`.
    is_shared
        It is there for some users only.
    """
    return Problem("not-found", f"There is no such {what}{', or it is not shared with you' if is_shared else ''}.")


def invalid(*errors: FieldError) -> Problem:
    """Refuse fields."""
    return Problem("invalid-fields", "; ".join(f"{error.field}: {error.expected}" for error in errors), errors)
