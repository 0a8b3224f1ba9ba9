"""The picture of scaling: time and requests by number of companies, for the product and the naive baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.contest import Contest, median
from bench.runs import Run

_OURS, _BASELINE = "#0b6bcb", "#b4540a"
_GREY = "#5f6b7a"


def draw_scaling(contest: Contest, file: Path) -> None:
    """Draw all first runs that were measured.

    Parameters
    ----------
    contest
        Where they were measured.
    file
        SVG file; the same measurements make the same bytes.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    style: dict[Any, Any] = {
        "svg.hashsalt": "cloud-nlp",  # identifiers inside the file are random otherwise
        "font.size": 10,
        "axes.edgecolor": _GREY,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": _GREY,
        "ytick.color": _GREY,
    }
    with mpl.rc_context(style):
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.2), layout="constrained", facecolor="white")
        _draw(left, contest, lambda run: run.seconds, "Time of a first run (s)")
        _draw(right, contest, lambda run: run.requests, "Requests to DynamoDB, SQS, Comprehend and S3")
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, metadata={"Date": None})
        pyplot.close(figure)


def _draw(axes: Any, contest: Contest, value: Callable[[Run], float], title: str) -> None:
    ours, baseline = _points(contest.product_runs, value), _points(contest.baseline_runs, value)
    axes.loglog(*zip(*ours, strict=True), "o-", color=_OURS, linewidth=2, markersize=5, label="Cloud NLP")
    axes.loglog(*zip(*baseline, strict=True), "s-", color=_BASELINE, linewidth=2, markersize=5, label="Naive pipeline")
    if ours[-1][0] > baseline[-1][0]:
        (companies, reached), last = baseline[-1], ours[-1][0]
        extrapolated = [(companies, reached), (last, reached / companies * last)]
        label = "Naive pipeline, extrapolated"
        axes.loglog(*zip(*extrapolated, strict=True), ":", color=_BASELINE, linewidth=2, label=label)
    axes.set_title(title, loc="left", fontsize=11, color="#1c2430")
    axes.set_xlabel("Companies", color=_GREY)
    axes.xaxis.set_major_formatter(lambda number, _: f"{number:,.0f}")
    axes.yaxis.set_major_formatter(lambda number, _: f"{number:,.10g}")
    axes.grid(visible=True, which="major", color="#e3e7ec", linewidth=0.8)
    axes.minorticks_off()
    axes.legend(frameon=False, labelcolor="#1c2430")


def _points(runs: Mapping[int, list[Run]], value: Callable[[Run], float]) -> list[tuple[int, float]]:
    return [(companies, value(median(measured))) for companies, measured in sorted(runs.items()) if measured]
