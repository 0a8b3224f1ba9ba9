"""Ids of projects, documents and jobs: UUIDs of version 7, which sort by the time at which they were made."""

from __future__ import annotations

import re

# An id in the pattern of a policy, where `?` is one character.
ANY_ID = "?" * 36
# https://www.rfc-editor.org/rfc/rfc9562#section-5.7
ID_PATTERN = r"\A[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"
_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id."""
    return _ID.match(text) is not None
