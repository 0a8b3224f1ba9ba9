"""`make bench`: measures the product against stated baselines, and fails when a limit is not held."""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from bench.api import ApiSizes, measure_api
from bench.batch import BATCH_SIZES, FULL_BATCH_SIZES, QUICK_BATCH_SIZES, BatchSizes, measure_batch
from bench.batch_base import measure_base
from bench.contest import Contest
from bench.deployment import measure_deployment
from bench.picture import draw_scaling
from bench.report import Section, broken_limits, show, to_markdown
from bench.runs import BenchmarkError
from bench.scaling import measure_scaling
from bench.speed import Sizes, measure_speed
from bench.startup import measure_startup
from local.aws.embedded_aws import EmbeddedAws, EmbeddedAwsError
from local.demo.pipeline_client import RunError
from local.deploy.deployer import ROOT, DeployError

RESULTS = ROOT / "bench" / "results.md"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "pictures" / "scaling.svg"
MARKS = ("<!-- results: written by make bench -->\n", "<!-- end of results -->")

SECTIONS = ("speed", "scaling", "startup", "deployment", "api", "batch")
DEFAULT = Sizes((500, 5000), (100, 300, 500, 1000), (100, 300, 1000, 3000, 10_000), (3, 3))
FULL = Sizes((500, 5000), (100, 300, 500, 1000, 5000), (100, 300, 1000, 3000, 10_000), (3, 3))
QUICK = Sizes((500,), (100, 500), (100, 1000), (1,))
API_SIZES = ApiSizes((1, 50), one_client_turns=200, turns=5, calls=2)
BASE_DOCUMENTS, QUICK_BASE_DOCUMENTS = 600, 200
QUICK_API_SIZES = ApiSizes((1, 10), one_client_turns=50, turns=5, calls=3)

# A file or a pipe has no width of its own, and tables should not be broken there.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes, nothing repeated; results are shown and not written.")
@click.option("--full", is_flag=True, help="Also the naive baseline over 5,000 companies and an analysis of 200 MB.")
@click.option("--only", type=click.Choice(SECTIONS), multiple=True, help="One section; results are not written.")
@click.option("--base", help="Compare the batch program with that of this commit, and nothing else.")
def main(quick: bool, full: bool, only: tuple[str, ...], base: str | None) -> None:
    """Measure pipeline, start of functions, deployment, API and batch jobs; exit with 1 when a limit is not held."""
    if quick and full:
        raise click.UsageError("--quick and --full exclude each other.")
    if base and only:
        raise click.UsageError("--base and --only exclude each other.")
    # Stopping by the system or by `timeout` has to tidy up just as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes = QUICK if quick else FULL if full else DEFAULT
    complete = not (quick or only or base)
    started, machine = time.perf_counter(), _machine()
    console.print(machine, style="dim")
    sections: list[Section] = []
    try:
        with console.status("starting") as status:
            say = _announcer(status.update)
            measured = (
                [measure_base(say, base, QUICK_BASE_DOCUMENTS if quick else BASE_DOCUMENTS)]
                if base
                else _measure(sizes, only or SECTIONS, say, PICTURE if complete else None)
            )
            for section in measured:
                show(console, section)
                sections.append(section)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        sys.exit(130)
    except (BenchmarkError, DeployError, EmbeddedAwsError, RunError) as error:
        console.print(f"[red]{type(error).__name__}[/]: {escape(str(error))}")
        sys.exit(1)
    if complete:
        _write(sections, machine)
    _conclude(sections, time.perf_counter() - started)


def _announcer(update: Callable[[str], None]) -> Callable[[str], None]:
    """Show what is being done beside the spinner; where there is no terminal, as lines."""
    if console.is_terminal:
        return update
    return lambda text: console.print(f"... {text}", style="dim")


def _measure(
    sizes: Sizes, wanted: tuple[str, ...], say: Callable[[str], None], picture: Path | None
) -> Iterator[Section]:
    process_repeats, deployments = (2, 1) if sizes is QUICK else (5, 3)
    if {"speed", "scaling"} & set(wanted):
        with EmbeddedAws() as aws:
            contest = Contest(aws, say)
            if "speed" in wanted:
                yield measure_speed(contest, sizes)
            if "scaling" in wanted:
                yield measure_scaling(contest, sizes)
            if picture:
                draw_scaling(contest, picture)
    if "startup" in wanted:
        yield measure_startup(say, process_repeats)
    if "deployment" in wanted:
        yield measure_deployment(say, process_repeats, deployments)
    if "api" in wanted:
        with EmbeddedAws() as aws:
            yield from measure_api(aws, say, QUICK_API_SIZES if sizes is QUICK else API_SIZES)
    if "batch" in wanted:
        yield from measure_batch(say, _batch_sizes(sizes))


def _batch_sizes(sizes: Sizes) -> BatchSizes:
    if sizes is QUICK:
        return QUICK_BATCH_SIZES
    return FULL_BATCH_SIZES if sizes is FULL else BATCH_SIZES


def _machine() -> str:
    """Describe where this is measured, and how busy it is with other things."""
    processors = f"{os.cpu_count()} processors ({platform.machine()})"
    software = f"{platform.system()}, Python {platform.python_version()}"
    load = f"load average {os.getloadavg()[0]:.1f} before the start"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {processors}, {software}, {load}"


def _write(sections: list[Section], machine: str) -> None:
    RESULTS.write_text(f"# Benchmark results\n\nMeasured {machine}.\n\n{to_markdown(sections)}")
    before, rest = DOCUMENT.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    results = f"\nMeasured {machine}.\n\n{to_markdown(sections, heading='###')}\n"
    DOCUMENT.write_text(before + MARKS[0] + results + MARKS[1] + after)


def _conclude(sections: list[Section], seconds: float) -> None:
    limits = sum(row.limit is not None for section in sections for row in section.rows)
    broken = broken_limits(sections)
    for row in broken:
        console.print(f"[bold red]FAIL[/] {row.what}: {row.ours}, {row.ratio}; {row.limit.text if row.limit else ''}")
    if broken:
        console.print("Times suffer when other programs are busy; the notes say how busy they were.")
        console.print(f"[bold red]FAIL[/]: {len(broken)} of {limits} limits not held, in {seconds:.0f} s.")
        sys.exit(1)
    console.print(f"[bold green]PASS[/]: all {limits} limits held, in {seconds:.0f} s.")


if __name__ == "__main__":
    main(prog_name="python -m bench")
