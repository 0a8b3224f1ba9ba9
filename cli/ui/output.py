"""Everything that is written: results to stdout, progress and hints to stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cli.ui.text import printable, spoken_size

if TYPE_CHECKING:
    from rich.console import Console

# A progress bar for fewer items would be gone before it is read.
LONG = 100
COLUMN_GAP = "  "
# On a terminal, columns but the last are cut to the first of these widths that leaves enough for the last one.
WIDEST_COLUMNS = (40, 24, 16)
COMFORTABLE_LAST_COLUMN = 20


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
    whole: Sequence[str] = (),
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
    whole : sequence of str
        Headings of the columns that are never cut: what a user copies into the next command.
    """
    from rich.cells import cell_len

    rows = [columns, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    aligned_right = [heading in right for heading in columns]
    console = terminal()
    if not console.is_terminal:
        for row in rows:
            cells = map(_padded, row, widths, aligned_right)
            click.echo(COLUMN_GAP.join(cells).rstrip())
        return
    from rich.text import Text

    widths = _fitted(widths, console.width, [heading in whole for heading in columns])
    for number, row in enumerate(rows):
        line = Text()
        for heading, cell, width, to_right in zip(columns, row, widths, aligned_right, strict=True):
            style = "bold" if number == 0 else styles(heading, cell) if styles else ""
            line.append(_padded(_cut(cell, width), width, to_right), style).append(COLUMN_GAP)
        line.rstrip()
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)


def write_fields(fields: Mapping[str, str | None], styles: Callable[[str, str], str] | None = None) -> None:
    """Print what is known of one thing, a line for each name and value; those without a value are left out.

    Parameters
    ----------
    fields : mapping of str
        The values by name; unsafe characters are escaped here.
    styles : callable, optional
        ``styles(name, value)`` answers rich's style for a value.
    """
    from rich.text import Text

    console = terminal()
    width = max(map(len, fields))
    for name, value in fields.items():
        if value:
            style = styles(name, value) if styles else ""
            console.print(Text.assemble(name.ljust(width), COLUMN_GAP, (printable(value), style)), soft_wrap=True)


def _padded(cell: str, width: int, to_right: bool) -> str:
    from rich.cells import cell_len

    gap = " " * (width - cell_len(cell))
    return gap + cell if to_right else cell + gap


def _cut(cell: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    return cell if cell_len(cell) <= width else set_cell_size(cell, width - 1).rstrip() + "…"


def _fitted(widths: Sequence[int], width: int, whole: Sequence[bool]) -> list[int]:
    """Cut long columns as far as needed, and let the last one, the free text, take what the terminal leaves."""
    first, rest = list(widths[:-1]), 0
    for widest in WIDEST_COLUMNS:
        first = [one if kept else min(one, widest) for one, kept in zip(first, whole, strict=False)]
        rest = width - sum(first) - len(COLUMN_GAP) * len(first)
        if rest >= min(widths[-1], COMFORTABLE_LAST_COLUMN):
            break
    return [*first, max(min(widths[-1], rest), 1)]


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


@contextmanager
def transfer_progress(title: str, size: int) -> Iterator[Callable[[int], None]]:
    """Show on stderr how much of some bytes has been transferred: a bar on a terminal, otherwise one line.

    Parameters
    ----------
    title : str
        What is being done.
    size : int
        Number of bytes.

    Yields
    ------
    callable
        To be called, from any thread, with the number of bytes just transferred; below zero when they come again.
    """
    console = terminal(stderr=True)
    if not console.is_terminal:
        hint(f"{title}: {spoken_size(size)} ...")
        yield lambda _size: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (title, BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        row = bar.add_task(title, total=size)
        yield lambda sent: bar.advance(row, sent)


@contextmanager
def status_line(title: str) -> Iterator[Callable[[str], None]]:
    """Show on stderr what something that takes long is doing: a line that changes, or one for each change.

    Parameters
    ----------
    title : str
        What is being followed.

    Yields
    ------
    callable
        To be called with the state, in a word or two.
    """
    console = terminal(stderr=True)
    if console.is_terminal:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as line:
            row = line.add_task(title, total=None)
            yield lambda state: line.update(row, description=f"{title}: {printable(state)}")
        return
    shown: list[str] = []

    def show(state: str) -> None:
        if shown[-1:] != [state]:
            shown.append(state)
            hint(f"{title}: {printable(state)} ...")

    yield show
