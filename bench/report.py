"""What the benchmark reports: ratios and the limits they have to hold, as tables on screen and in Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

HEADINGS = ("Measured", "Cloud NLP", "Baseline", "Ratio", "Limit")


@dataclass(frozen=True)
class Limit:
    """A requirement.

    Attributes
    ----------
    text
        The requirement in words.
    held
        Whether the measurement meets it.
    """

    text: str
    held: bool

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return "PASS" if self.held else "FAIL"


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes
    ----------
    what
        What was measured.
    ours, baseline
        Figures of this project and of the baseline, with their units.
    ratio
        What one is to the other.
    limit
        What it has to be, where there is a requirement.
    """

    what: str
    ours: str
    baseline: str
    ratio: str
    limit: Limit | None = None


@dataclass
class Section:
    """Measurements of one kind.

    Attributes
    ----------
    title
        Heading.
    baseline
        What the rows are compared with.
    rows
        The measurements.
    notes
        What a reader has to know to judge them.
    """

    title: str
    baseline: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def at_least(value: float, limit: float, text: str) -> Limit:
    """Require a value to reach a limit; `text` has a place for it, as in `at least {}x`."""
    return Limit(text.format(f"{limit:g}"), value >= limit)


def at_most(value: float, limit: float, text: str) -> Limit:
    """Require a value to stay within a limit; `text` has a place for it, as in `at most {} s`."""
    return Limit(text.format(f"{limit:g}"), value <= limit)


def seconds(value: float) -> str:
    """Write a duration with three significant digits, in seconds or milliseconds."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.{1 if value >= 10 else 2}f} s"


def times(value: float) -> str:
    """Write a ratio with three significant digits."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}x"


def broken_limits(sections: list[Section]) -> list[Row]:
    """Find the measurements that do not hold their limit."""
    return [row for section in sections for row in section.rows if row.limit and not row.limit.held]


def show(console: Console, section: Section) -> None:
    """Print a section as a table."""
    table = Table(title=section.title, title_justify="left", title_style="bold", caption_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("Measured", "Limit") else "right")
    for row in section.rows:
        colour = "green" if row.limit and row.limit.held else "bold red"
        verdict = f"[{colour}]{row.limit.verdict}[/] {escape(row.limit.text)}" if row.limit else ""
        table.add_row(
            escape(row.what), escape(row.ours), escape(row.baseline), f"[bold]{escape(row.ratio)}[/]", verdict
        )
    console.print(table)
    for note in [f"Baseline: {section.baseline}", *section.notes]:
        console.print(f"  {note}", style="dim", highlight=False, markup=False)
    console.print()


def to_markdown(sections: list[Section], heading: str = "##") -> str:
    """Write sections as Markdown tables.

    Parameters
    ----------
    sections
        What to write.
    heading
        Marks of their headings' level.
    """
    return "\n\n".join(_section_markdown(section, heading) for section in sections) + "\n"


def _section_markdown(section: Section, heading: str) -> str:
    lines = [f"{heading} {section.title}", "", f"Baseline: {section.baseline}", ""]
    lines += [_line(HEADINGS), _line(["---", "---:", "---:", "---:", "---"])]
    for row in section.rows:
        verdict = f"{row.limit.verdict}: {row.limit.text}" if row.limit else ""
        lines.append(_line([row.what, row.ours, row.baseline, f"**{row.ratio}**", verdict]))
    if section.notes:
        lines += ["", *(f"- {note}" for note in section.notes)]
    return "\n".join(lines)


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
