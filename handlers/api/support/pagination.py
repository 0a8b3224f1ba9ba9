"""Pages of lists: their length, and cursors to the next page.

A cursor says where in its list the next page begins, and nothing else. Whose list it is comes from the token and the
path of each request. Therefore a cursor need not be secret or signed: a forged one only leads to another place in the
caller's own lists.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from handlers.common.problems import Problem
from schema.limits import PAGE_ENTRIES

_VERSION = 1

Limit = Annotated[int, Meta(ge=1, le=PAGE_ENTRIES, description="The most entries to answer")]
Cursor = Annotated[str | None, Meta(description="`next` of the page before; the first page when absent")]


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list is wanted."""

    limit: Limit = 50
    cursor: Cursor = None


def encode_cursor(place: str, position: str | None) -> str | None:
    """Make the cursor that leads to a position; None, on the last page, stays None.

    Parameters
    ----------
    place
        Name of the list.
    position
        Where the next page begins.
    """
    if position is None:
        return None
    content = msgspec.json.encode([_VERSION, place, position])
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode_cursor(place: str, cursor: str | None, accept: Callable[[str], bool]) -> str | None:
    """Read the position out of a cursor.

    Parameters
    ----------
    place
        Name of the list.
    cursor
        As it came with the request.
    accept
        Tells whether a text can be a position in this list.

    Raises
    ------
    Problem
        It is not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, known_place, position = msgspec.json.decode(content, type=tuple[int, str, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        version, known_place, position = 0, "", ""
    if version != _VERSION or known_place != place or not accept(position):
        raise Problem("malformed-cursor", "Take the cursor from `next` of the page before, or leave it out.")
    return position
