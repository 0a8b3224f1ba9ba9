"""Files of companies: CSV, JSON and plain text. Reading what was written gives the same companies."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cli.api.companies import Company
from cli.ui.errors import CliError
from cli.ui.json_input import decode_json
from cli.ui.names import COMMENT, from_file, read_text
from cli.ui.text import companies_counted
from schema.companies import COMPANY_KEY, PAGE
from schema.names import is_company_name, normalise_company_name

FORMATS = ("csv", "json", "txt")
HEADER = [COMPANY_KEY, PAGE]


def format_of(path: str) -> str:
    """Tell a file's format by its ending.

    Raises
    ------
    CliError
        When it is none of .csv, .json and .txt.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise CliError(f"{path}: expected a file that ends in .csv, .json or .txt.")
    return ending


def read_companies(path: str) -> list[Company]:
    """Read a file of companies; each name once, the first one counts.

    Raises
    ------
    CliError
        When the file cannot be read or a company in it is not valid, naming file and line (or item).
    """
    readers: dict[str, Callable[[str], Iterable[Company]]] = {
        "csv": _read_csv,
        "json": _read_json,
        "txt": lambda file: map(Company, from_file(file)),
    }
    companies: dict[str, Company] = {}
    for company in readers[format_of(path)](path):
        companies.setdefault(company.name, company)
    return list(companies.values())


def write_companies(companies: Sequence[Company], kind: str) -> bytes:
    """Write companies as a file of one of the formats.

    Raises
    ------
    CliError
        When plain text cannot hold one of the names.
    """
    writers: dict[str, Callable[[Sequence[Company]], bytes]] = {
        "csv": _write_csv,
        "json": _write_json,
        "txt": _write_text,
    }
    return writers[kind](companies)


def _read_csv(path: str) -> Iterable[Company]:
    rows = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        header = [heading.strip().lower() for heading in next(rows, [])]
        if "name" not in header:
            raise CliError(f"{path}:1: expected the header name,page.")
        for row in rows:
            if row:
                yield _checked(dict(zip(header, row, strict=False)), f"{path}:{rows.line_num}")
    except csv.Error as error:
        raise CliError(f"{path}:{rows.line_num}: expected CSV (RFC 4180): {error}.") from None


def _read_json(path: str) -> Iterable[Company]:
    try:
        items = decode_json(read_text(path), type=list[str | dict[str, Any]])
    except msgspec.DecodeError as error:
        raise CliError(f'{path}: expected a JSON array of names or of {{"name": ..., "page": ...}}: {error}.') from None
    for number, item in enumerate(items, start=1):
        yield _checked({"name": item} if isinstance(item, str) else item, f"{path}: item {number}")


def _checked(values: dict[str, Any], place: str) -> Company:
    name, page = values.get("name"), values.get("page")
    if not isinstance(name, str) or not isinstance(page, str | None):
        raise CliError(f"{place}: expected a name and, optionally, a page, both text.")
    try:
        title = normalise_company_name(page) if page and page.strip() else None
        return Company(normalise_company_name(name), title)
    except ValueError as error:
        raise CliError(f"{place}: not a company's name or page: {error}.") from None


def _write_csv(companies: Sequence[Company]) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(HEADER)
    rows.writerows([company.name, company.page or ""] for company in companies)
    return text.getvalue().encode()


def _write_json(companies: Sequence[Company]) -> bytes:
    items = [Company(company.name, company.page) for company in companies]
    return msgspec.json.format(msgspec.json.encode(items), indent=2) + b"\n"


def _write_text(companies: Sequence[Company]) -> bytes:
    odd = [company.name for company in companies if not _fits_a_line(company.name)]
    if odd:
        raise CliError(
            f"Plain text cannot hold {companies_counted(len(odd))}, such as {odd[0]!r} "
            "(line breaks, control characters, or # first): use --format csv or json."
        )
    return "".join(f"{company.name}\n" for company in companies).encode()


def _fits_a_line(name: str) -> bool:
    return is_company_name(name) and not name.startswith(COMMENT)
