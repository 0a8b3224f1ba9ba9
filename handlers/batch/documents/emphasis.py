"""Signs of emphasis in Markdown, which mean what they mean only beside the right characters.

A translation can put other characters beside them: a space, a bracket, or nothing at all. Rules:
https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

# Counts as a letter here, and is not seen: neither as a space, nor as a place where a line may end.
_JOINER = "\u2060"


class _Roles(NamedTuple):
    """What a sign can do."""

    opens: bool
    closes: bool


def mend_emphasis(old: Sequence[str], new: list[str], signs: Sequence[int]) -> None:
    """Let signs mean what they meant.

    Parameters
    ----------
    old
        The parts of a document.
    new
        The same parts, translated; signs get what they need beside them.
    signs
        Which parts are signs, in order.
    """
    opened: list[str] = []
    for place in signs:
        sign = old[place]
        roles = _roles(sign[0], _before(old, place), _after(old, place))
        if roles.closes and (sign in opened or not roles.opens):
            new[place] = _closing(new, place)
            del opened[_last(opened, sign) :]
        elif roles.opens:
            new[place] = _opening(new, place)
            opened.append(sign)
        elif any(_roles(sign[0], _before(new, place), _after(new, place))):
            new[place] = f"\\{sign[0]}" * len(sign)


def _last(opened: list[str], sign: str) -> int:
    """Place of the last sign that is the same; the end where there is none."""
    return next((place for place in range(len(opened) - 1, -1, -1) if opened[place] == sign), len(opened))


def _opening(new: list[str], place: int) -> str:
    sign, space = new[place], _take_space_after(new, place)
    before, after = space or _before(new, place), _after(new, place)
    if before == sign[0] or (sign[0] == "_" and _kind(before) == "letter"):
        space = before = " "
    needs = after == sign[0] or not _roles(sign[0], before, after).opens
    return space + sign + (_JOINER if needs else "")


def _closing(new: list[str], place: int) -> str:
    sign, space = new[place], _take_space_before(new, place)
    before, after = _before(new, place), space or _after(new, place)
    if after == sign[0] or (sign[0] == "_" and _kind(after) == "letter"):
        space = after = " "
    needs = before == sign[0] or not _roles(sign[0], before, after).closes
    return (_JOINER if needs else "") + sign + space


def _roles(sign: str, before: str, after: str) -> _Roles:
    left, right = _kind(before), _kind(after)
    opens = right == "letter" or (right == "mark" and left != "letter")
    closes = left == "letter" or (left == "mark" and right != "letter")
    if sign != "_":
        return _Roles(opens, closes)
    return _Roles(opens and (not closes or left == "mark"), closes and (not opens or right == "mark"))


def _kind(beside: str) -> str:
    if not beside or beside.isspace():
        return "space"
    return "mark" if unicodedata.category(beside)[0] in "PS" else "letter"


def _before(parts: Sequence[str], place: int) -> str:
    """Give the character before a part; nothing at the beginning."""
    return next((parts[other][-1] for other in range(place - 1, -1, -1) if parts[other]), "")


def _after(parts: Sequence[str], place: int) -> str:
    return next((parts[other][0] for other in range(place + 1, len(parts)) if parts[other]), "")


def _take_space_after(parts: list[str], place: int) -> str:
    """Take the space that a sign must not have on its inner side away from there; it belongs on the outer one."""
    inner = parts[place + 1] if place + 1 < len(parts) else ""
    kept = inner.lstrip(" ")
    if len(kept) == len(inner):
        return ""
    parts[place + 1] = kept
    return " "


def _take_space_before(parts: list[str], place: int) -> str:
    inner = parts[place - 1] if place else ""
    kept = inner.rstrip(" ")
    if len(kept) == len(inner):
        return ""
    parts[place - 1] = kept
    return " "
