"""Refusals of requests, as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from schema.problems import PROBLEMS, TYPE_PREFIX
from schema.roles import Role


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
    required_role: Annotated[Role | None, Meta(description="The role that the caller needs at least")] = None


class Problem(Exception):  # noqa: N818 - RFC 9457's word for it
    """A request is refused.

    Parameters
    ----------
    kind
        A key of `PROBLEMS`.
    detail
        What is wrong with this request, in words for its sender.
    errors
        The fields that are wrong.
    retry_after
        Seconds after which to try again; 0 where that would not help.
    required_role
        The role that the caller needs at least.
    recorded
        The refusal itself was recorded: a request repeated with its idempotency key gets the same answer.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        retry_after: int = 0,
        recorded: bool = False,
        required_role: Role | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, title = PROBLEMS[kind]
        self.details = ProblemDetails(TYPE_PREFIX + kind, title, self.status, detail, tuple(errors), required_role)
        self.retry_after = retry_after
        self.recorded = recorded


def not_found(what: str, is_shared: bool = True) -> Problem:
    """Refuse what does not exist or is not the caller's, without saying which.

    Parameters
    ----------
    what
        Such as `project`.
    is_shared
        Only some users may see such things.
    """
    return Problem("not-found", f"There is no such {what}{', or it is not shared with you' if is_shared else ''}.")


def invalid(*errors: FieldError) -> Problem:
    """Refuse fields that are wrong."""
    return Problem("invalid-fields", "; ".join(f"{error.field}: {error.expected}" for error in errors), errors)
