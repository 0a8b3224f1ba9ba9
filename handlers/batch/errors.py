"""What can go wrong in a job, in words for the user who started it."""

from __future__ import annotations


class JobError(Exception):
    """The whole job cannot be done."""


class DocumentError(Exception):
    """One document cannot be done; the others can."""


def internal_error(error: str) -> str:
    """Say that something went wrong which is not the document's fault; the log has the details."""
    return f"It could not be processed because of an internal error ({error})."
