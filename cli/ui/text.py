"""Text that is safe to show, and times and durations as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

# Line and paragraph separators, control characters and lone surrogates break a terminal's layout.
UNSAFE_CATEGORIES = {"Cc", "Zl", "Zp", "Cs"}
# Characters that reorder the text after them; a name could hide what it is (Unicode TR 36).
REORDERING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
OLD = timedelta(days=14)


def printable(text: str) -> str:
    """Escape what would break or fake output: line breaks, control characters, reordering marks."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) in UNSAFE_CATEGORIES or character in REORDERING:
        return character.encode("unicode_escape").decode("ascii")
    return character


def parse_duration(text: str) -> timedelta:
    """Read a duration such as ``90s``, ``30m``, ``12h``, ``7d`` or ``2w``.

    Raises
    ------
    ValueError
        When the text is not a positive whole number followed by a unit, or the duration is out of range.
    """
    match = re.fullmatch(r"([0-9]{1,9})\s*([smhdw])", text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration: write 90s, 30m, 12h, 7d or 2w")
    try:
        return int(match[1]) * UNITS[match[2]]
    except OverflowError:
        raise ValueError(f"{text!r} is too long a duration") from None


class Duration(click.ParamType):
    """A command-line option that holds a duration, such as ``15m``."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the duration, or report the mistake."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Since(click.ParamType):
    """A command-line option that holds a past moment: a duration until now, or an ISO 8601 date or time."""

    name = "since"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment in UTC, or report the mistake. A time without a zone is local time."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            return datetime.now(UTC) - parse_duration(text)
        except (ValueError, OverflowError):
            pass
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is not a time: write 30m, 12h, 7d, 2w or a date as 2026-11-21", param, ctx)


def relative_time(timestamp: str, now: datetime | None = None) -> str:
    """Say how long ago a moment was, or its local date when it is more than two weeks ago.

    Parameters
    ----------
    timestamp : str
        ISO 8601 with a zone, such as ``2026-11-21T06:52:00Z``. Anything else is returned as it is.
    now : datetime, optional
        The present, with a zone.
    """
    try:
        moment = datetime.fromisoformat(timestamp)
        age = (now or datetime.now(UTC)) - moment
    except (ValueError, TypeError):
        return printable(timestamp)
    if age > OLD:
        return moment.astimezone().strftime("%Y-%m-%d %H:%M")
    seconds = max(0, int(age.total_seconds()))
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds // size} {unit} ago"
    return f"{seconds // 86400} days ago"


def spoken_duration(seconds: float) -> str:
    """Write a number of seconds as ``0.8 s``, ``42 s`` or ``3 min 17 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock_duration(seconds: float) -> str:
    """Write a number of seconds as a clock does: ``0:42``, ``3:17`` or ``1:03:17``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def spoken_size(size: int) -> str:
    """Write a number of bytes as ``812 B``, ``1.4 KiB`` or ``100 MiB``."""
    number, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if number < 1000:
            break
        number, unit = number / 1024, larger
    return f"{number:.1f} {unit}" if unit != "B" and number < 10 else f"{number:.0f} {unit}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number with its noun: ``1 company``, ``1,200 companies``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def companies_counted(number: int) -> str:
    """Write a number of companies."""
    return counted(number, "company", "companies")


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Suggest the known name that is most like a mistyped one; empty when none is."""
    from difflib import get_close_matches

    by_folded = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), by_folded, n=1)
    return f" (did you mean {by_folded[close[0]]!r}?)" if close else ""
