"""What a document asks for before it is read: consent to its length, and room in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


def _consent(characters: int, is_exact: bool) -> bool:  # noqa: ARG001 - the signature of every consent
    """Let every document be read."""
    return True


def _has_room() -> None:
    """Have room for everything."""


class Guard(NamedTuple):
    """Questions of a document before it is read.

    Attributes
    ----------
    consent
        Gets how many characters of text the document has, and whether that is exact or at most so many. Answers whether
        that is enough to know; if not, it is asked again with the exact number. Raises `DocumentError` if the document
        has too many.
    await_room
        Called before a document takes much memory; returns when no other one does.
    """

    consent: Callable[[int, bool], bool] = _consent
    await_room: Callable[[], None] = _has_room
