"""What can go wrong in a job, in words for the user who started it."""

from __future__ import annotations

_INTERNAL = "because of an internal error"
# Reasons that name a service are about its answer; a document's own reasons start with "It" or with its parts.
_SERVICES = "Amazon "


class JobError(Exception):
    """The whole job cannot be done."""


class DocumentsError(JobError):
    """The whole job cannot be done because of its documents or what the user asked for; nothing is wrong inside."""


class DocumentError(Exception):
    """One document cannot be done; the others can."""


def internal_error(error: Exception) -> str:
    """Say that something went wrong which is not the document's fault; the log has the details."""
    return f"It could not be processed {_INTERNAL} ({type(error).__name__})."


def is_internal(reason: str) -> bool:
    """Tell whether a document failed for a reason that is not its own: a fault of the program or of a service."""
    return _INTERNAL in reason or reason.startswith(_SERVICES)
