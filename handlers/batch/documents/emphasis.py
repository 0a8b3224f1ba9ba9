"""Signs of emphasis in Markdown, which mean what they mean only beside the right characters.

A translation can put other characters beside them: a space, a bracket, or nothing at all. Rules:
https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis
"""

from __future__ import annotations

import unicodedata
from collections import Counter
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
    opened = _Opened()
    for place in signs:
        sign = old[place]
        roles = _roles(sign[0], _before(old, place), _after(old, place))
        if roles.closes and (sign in opened or not roles.opens):
            new[place] = sign if _has_same_neighbours(old, new, place) else _closing(new, place)
            opened.close(sign)
        elif roles.opens:
            new[place] = sign if _has_same_neighbours(old, new, place) else _opening(new, place)
            opened.open(sign)
        elif any(_roles(sign[0], _before(new, place), _after(new, place))):
            new[place] = f"\\{sign[0]}" * len(sign)


class _Opened:
    """Signs that have been opened and not closed. Each sign is looked at twice at most, however many there are."""

    def __init__(self) -> None:
        self._signs: list[str] = []
        self._counts: Counter[str] = Counter()

    def __contains__(self, sign: str) -> bool:
        return self._counts[sign] > 0

    def open(self, sign: str) -> None:
        """Remember a sign."""
        self._signs.append(sign)
        self._counts[sign] += 1

    def close(self, sign: str) -> None:
        """Forget the last sign that is the same, and all that were opened after it; nothing where there is none."""
        if sign not in self:
            return
        while True:
            last = self._signs.pop()
            self._counts[last] -= 1
            if last == sign:
                return


def _has_same_neighbours(old: Sequence[str], new: Sequence[str], place: int) -> bool:
    """Tell whether a sign stands between the same characters as before, where it has the same role."""
    return _before(old, place) == _before(new, place) and _after(old, place) == _after(new, place)


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
