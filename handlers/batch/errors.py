"""What can go wrong in a job, in words for the user who started it."""

from __future__ import annotations

# Starts of reasons that are no document's fault. Names out of a document, which its author chooses, start no reason.
_INTERNAL = "It could not be processed because of an internal error"
_SERVICES = ("Amazon Translate ", "Amazon Comprehend ")


class JobError(Exception):
    """The whole job cannot be done."""


class DocumentsError(JobError):
    """The whole job cannot be done because of its documents or what the user asked for; nothing is wrong inside."""


class DocumentError(Exception):
    """One document cannot be done; the others can."""


def internal_error(error: str) -> str:
    """Say that something went wrong which is not the document's fault; the log has the details."""
    return f"{_INTERNAL} ({error})."


def is_internal(reason: str) -> bool:
    """Tell whether a document failed for a reason that is not its own: a fault of the program or of a service."""
    return reason.startswith((_INTERNAL, *_SERVICES))


# Of a document whose process asked for what no process asks for: a sign that somebody has taken it over.
BROKEN_RULES = internal_error("its process sent what it may not send")
