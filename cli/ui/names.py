"""Names of companies on the command line, and files with one name per line."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from cli.ui.errors import CliError
from cli.ui.text import printable
from schema.names import normalise_company_name

COMMENT = "#"
# Longer names are cut in error messages.
SHOWN_CHARACTERS = 40


def from_options(names: Iterable[str], normalise: Callable[[str], str] = normalise_company_name) -> list[str]:
    """Normalise the names given on the command line; each once, in order.

    Parameters
    ----------
    names : iterable of str
        As the user wrote them.
    normalise : callable
        Brings a name into the form in which it is stored; raises ValueError with what was expected.

    Raises
    ------
    CliError
        When one of them is not a valid name.
    """
    found: dict[str, None] = {}
    for name in names:
        try:
            found[normalise(name)] = None
        except ValueError as error:
            raise CliError(f"{_quoted(name)} is not a company's name: {error}.") from None
    return list(found)


def from_file(path: str, normalise: Callable[[str], str] = normalise_company_name) -> list[str]:
    """Read a file with one name per line; each name once, in order.

    Parameters
    ----------
    path : str
        Path of a UTF-8 file, with or without byte order mark; ``-`` is stdin. Blank lines and lines
        that start with ``#`` are ignored.
    normalise : callable
        As for `from_options`.

    Raises
    ------
    CliError
        When the file cannot be read or a line is not a valid name, naming file and line.
    """
    source = "stdin" if path == "-" else path
    lines = io.StringIO(read_text(path), newline=None)
    names: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith(COMMENT):
            try:
                names[normalise(text)] = None
            except ValueError as error:
                place = f"{source}:{number}"
                raise CliError(f"{place}: {_quoted(text)} is not a company's name: {error}.") from None
    return list(names)


def _quoted(name: str) -> str:
    """Repeat a name for an error message; of a long one, the beginning."""
    return f"'{printable(name if len(name) <= SHOWN_CHARACTERS else name[:SHOWN_CHARACTERS] + '...')}'"


def read_text(path: str) -> str:
    """Read a UTF-8 file, with or without byte order mark, keeping its line ends; ``-`` is stdin.

    Raises
    ------
    CliError
        When it cannot be read or is not UTF-8, naming the line.
    """
    source = "stdin" if path == "-" else path
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CliError(f"Cannot read {source}: {error.strerror}.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CliError(f"{source}:{line}: expected UTF-8 text: save the file as UTF-8.") from None
