"""Kinds of problems with which the API refuses requests (RFC 9457)."""

from __future__ import annotations

# A problem's type is this prefix with a key of `PROBLEMS` behind it.
TYPE_PREFIX = "urn:cloud-nlp:problem:"

# Kind -> HTTP status and title.
PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed-request": (400, "The request cannot be read"),
    "malformed-cursor": (400, "The cursor is not one of this list"),
    "not-signed-in": (401, "Sign-in is needed"),
    "role-needed": (403, "Another role is needed"),
    "not-the-owner": (403, "Only the owner may do this"),
    "not-found": (404, "There is nothing here"),
    "owner-cannot-leave": (409, "The owner cannot leave a project"),
    "too-many-shares": (409, "Too many projects are shared with a user"),
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
