"""Progress of long work on the screen: a spinner or bar per stage, then a line with its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

COLOURS = {"POSITIVE": "green", "NEGATIVE": "red", "NEUTRAL": "cyan", "MIXED": "yellow"}


class Stages:
    """Shows stages, and how long each took.

    Parameters
    ----------
    console
        Output.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Step]:
        """Show one stage while it lasts: as a spinner, or with a total as a bar."""
        columns = [SpinnerColumn(), TextColumn("{task.description}")]
        if total is not None:
            columns += [BarColumn(bar_width=30), MofNCompleteColumn()]
        started = time.perf_counter()
        shown = self.console.is_terminal and not self.console.record  # a picture shows no animation
        with Progress(
            *columns, TimeElapsedColumn(), console=self.console, transient=True, disable=not shown
        ) as progress:
            step = Step(progress, title, total)
            yield step
        seconds = time.perf_counter() - started
        self.console.print(f"[green]✓[/] {step.title} [dim]{seconds:.1f} s[/]")


class Step:
    """A stage in progress.

    Attributes
    ----------
    title
        Text that is shown.
    """

    def __init__(self, progress: Progress, title: str, total: int | None) -> None:
        self.title = title
        self._progress = progress
        self._task = progress.add_task(title, total=total)

    def reach(self, count: int) -> None:
        """Set how many are done."""
        self._progress.update(self._task, completed=count)

    def advance(self, _: object = None) -> None:
        """Count one more as done."""
        self._progress.advance(self._task)

    def describe(self, title: str) -> None:
        """Change the text."""
        self.title = title
        self._progress.update(self._task, description=title)
