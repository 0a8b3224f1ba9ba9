"""Names of companies: what a valid one is, and files with one name a line."""

from __future__ import annotations

import io
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from cli.errors import CliError

# DynamoDB allows 2,048 bytes for a key; 200 characters of 4 bytes stay well inside.
MAX_CHARACTERS = 200
COMMENT = "#"


def normalise(text: str) -> str:
    """Strip a name and bring it into Unicode's composed form, so that equal names are one company.

    Returns
    -------
    str
        The name as it is stored.

    Raises
    ------
    ValueError
        When it is no valid name, saying what was expected.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not name:
        raise ValueError("a name needs at least one character")
    if len(name) > MAX_CHARACTERS:
        raise ValueError(f"a name has at most {MAX_CHARACTERS} characters, this one has {len(name)}")
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValueError("a name must be valid Unicode text")
    return name


def from_options(names: Iterable[str]) -> list[str]:
    """Normalise the names given on the command line; each once, in order.

    Raises
    ------
    CliError
        When one of them is no valid name.
    """
    try:
        return list(dict.fromkeys(normalise(name) for name in names))
    except ValueError as error:
        raise CliError(f"Not a company's name: {error}.") from None


def from_file(path: str) -> list[str]:
    """Read a file with one name a line; each name once, in order.

    Parameters
    ----------
    path : str
        Path of a UTF-8 file, with or without byte order mark; ``-`` is stdin. Blank lines and lines
        that start with ``#`` are ignored.

    Raises
    ------
    CliError
        When the file cannot be read or a line is no valid name, naming file and line.
    """
    source = "stdin" if path == "-" else path
    lines = io.StringIO(read_text(path), newline=None)
    names: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith(COMMENT):
            names[_from_line(text, f"{source}:{number}")] = None
    return list(names)


def has_control_characters(text: str) -> bool:
    """Tell whether a text holds control characters, line breaks and tabs among them."""
    return any(unicodedata.category(character) == "Cc" for character in text)


def _from_line(text: str, place: str) -> str:
    # A control character in a line of text means that the file is something else: a spreadsheet, an archive.
    if has_control_characters(text):
        raise CliError(f"{place}: expected one name a line, without control characters, found {text[:40]!r}.")
    try:
        return normalise(text)
    except ValueError as error:
        raise CliError(f"{place}: expected one name a line: {error}.") from None


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
