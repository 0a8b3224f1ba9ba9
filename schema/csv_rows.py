"""CSV that a spreadsheet can open safely: the only writer and reader of CSV with texts of other people.

A spreadsheet runs a cell as a formula when it begins with certain signs
(https://owasp.org/www-community/attacks/CSV_Injection). The writer puts an apostrophe before such a cell, and the
reader takes it away again. A cell that already begins with apostrophes and such a sign gets another one, so every text
comes back as it was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

# Also the wide forms of the signs, which spreadsheets take for the same, and signs behind spaces.
_FORMULA = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")  # noqa: RUF001
_GUARD = "'"

Cell = str | float | bool | None


def write_rows(rows: Iterable[Iterable[Cell]]) -> bytes:
    """Write rows as CSV (RFC 4180) in UTF-8 with CRLF line ends.

    Parameters
    ----------
    rows
        Cells; None is an empty cell, booleans are `true` and `false`. Texts are guarded against formulas; numbers,
        negative ones too, are written as they are.
    """
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_text(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def read_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Read CSV that `write_rows` has written, or somebody else.

    Parameters
    ----------
    text
        Its line ends are as in the file.

    Yields
    ------
    For each row, the number of its last line and its cells, without the guards.

    Raises
    ------
    csv.Error
        It is not CSV.
    """
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    for row in rows:
        yield rows.line_num, [unguard(cell) for cell in row]


def guard(text: str) -> str:
    """Mark a text that a spreadsheet would run as a formula."""
    return _GUARD + text if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Take away the mark of `guard`."""
    return text[1:] if text.startswith(_GUARD) and _FORMULA.match(text) else text


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return guard(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)
