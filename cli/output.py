"""Everything that is written: results to stdout, progress and hints to stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cli.text import printable

if TYPE_CHECKING:
    from rich.console import Console

# A progress bar for fewer items would be gone before it is read.
LONG = 100
COLUMN_GAP = "  "
# On a terminal, longer cells are cut, except in the last column.
WIDEST_COLUMN = 40


def write_json(value: Any) -> None:
    """Print a value as indented JSON on stdout."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def write_json_line(value: Any) -> None:
    """Print a value as one line of JSON on stdout, at once."""
    import msgspec

    click.echo(msgspec.json.encode(value))
    sys.stdout.flush()


def say(text: str) -> None:
    """Print a line of a result on stdout."""
    click.echo(text)


def hint(text: str) -> None:
    """Print a line on stderr: what happens, or what could be done next."""
    click.echo(text, err=True)


def terminal(*, stderr: bool = False) -> Console:
    """Make rich's view of stdout or stderr. NO_COLOR, FORCE_COLOR, TERM and COLUMNS are respected."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def write_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Callable[[str, str], str] | None = None,
    right: Sequence[str] = (),
) -> None:
    """Print a table on stdout: cut to the terminal's width, or in full and undecorated when there is none.

    Parameters
    ----------
    columns : sequence of str
        The headings.
    rows : sequence of sequence of str
        The cells; unsafe characters are escaped here.
    styles : callable, optional
        ``styles(heading, cell)`` answers rich's style for a cell.
    right : sequence of str
        Headings of the columns that are aligned to the right.
    """
    safe = [[printable(cell) for cell in row] for row in rows]
    console = terminal()
    if not console.is_terminal:
        for line in _aligned([list(columns), *safe], [heading in right for heading in columns]):
            click.echo(line)
        return
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, heading in enumerate(columns):
        width = max(cell_len(cell) for cell in (heading, *(row[number] for row in safe)))
        table.add_column(
            heading,
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if heading in right else "left",
            # Only the last column, the free text, gives way to a narrow terminal.
            min_width=min(width, WIDEST_COLUMN) if number < len(columns) - 1 else None,
            max_width=WIDEST_COLUMN if number < len(columns) - 1 else None,
        )
    for row in safe:
        cells = zip(columns, row, strict=True)
        table.add_row(*(Text(cell, style=styles(heading, cell) if styles else "") for heading, cell in cells))
    console.print(table)


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterator[str]:
    from rich.cells import cell_len

    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for cell, width, to_right in zip(row, widths, right, strict=True):
            gap = " " * (width - cell_len(cell))
            cells.append(gap + cell if to_right else cell + gap)
        yield COLUMN_GAP.join(cells).rstrip()


@contextmanager
def progress(title: str, total: int, *, always: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr while a terminal is there, or one line for a long piece of work.

    Parameters
    ----------
    title : str
        What is being done.
    total : int
        Number of items.
    always : bool
        Show it for few items too: each takes long.

    Yields
    ------
    callable
        To be called, from any thread, with the number of items just finished.
    """
    if total < LONG and not always:
        yield lambda _finished: None
        return
    console = terminal(stderr=True)
    if not console.is_terminal:
        hint(f"{title}: {total:,} ...")
        yield lambda _finished: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = (title, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        row = bar.add_task(title, total=total)
        yield lambda finished: bar.advance(row, finished)
