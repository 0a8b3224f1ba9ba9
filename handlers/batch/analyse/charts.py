"""Charts as inline SVG: no script, no link, readable in light and dark and by a screen reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_BAR = 18
_GAP = 8
_LABEL = 220
_WIDTH = 640
_VALUE = 60
_SHORT = 34


def bar_chart(title: str, values: Sequence[tuple[str, float]], classes: Mapping[str, str] | None = None) -> str:
    """Draw horizontal bars, one a value.

    Parameters
    ----------
    title
        For screen readers.
    values
        Labels and values of 0 or more, in the order of the bars.
    classes
        CSS class of a bar by its label, for bars with a colour of their own.
    """
    largest = max((value for _, value in values), default=0) or 1
    height = len(values) * (_BAR + _GAP) + _GAP
    rows = []
    for number, (label, value) in enumerate(values):
        top = _GAP + number * (_BAR + _GAP)
        width = round((_WIDTH - _LABEL - _VALUE) * value / largest, 1)
        kind = escape((classes or {}).get(label, "bar"))
        rows.append(
            f"<g><title>{escape(label)}: {value:g}</title>"
            f'<text x="{_LABEL - 8}" y="{top + _BAR - 5}" text-anchor="end">{escape(_shortened(label))}</text>'
            f'<rect class="{kind}" x="{_LABEL}" y="{top}" width="{max(width, 1)}" height="{_BAR}" rx="2"/>'
            f'<text x="{_LABEL + width + 6}" y="{top + _BAR - 5}">{value:g}</text></g>'
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(rows)}</svg>"
    )


def share_bar(title: str, shares: Sequence[tuple[str, float]]) -> str:
    """Draw one bar that is divided into shares of 1, each of the class of its name."""
    left = 0.0
    parts = []
    for name, share in shares:
        parts.append(
            f'<rect class="{escape(name)}" x="{round(left * 100, 2)}" y="0" width="{round(share * 100, 2)}" height="8">'
            f"<title>{escape(name)}: {share:.0%}</title></rect>"
        )
        left += share
    return (
        f'<svg class="shares" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def _shortened(label: str) -> str:
    return label if len(label) <= _SHORT else label[: _SHORT - 1] + "\u2026"
