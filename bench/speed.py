"""Speed and requests of the sentiment pipeline against a naive one."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contest import COMPREHEND_SECONDS, PRODUCT_CONCURRENCY, TEXT_SECONDS, Contest
from bench.report import Limit, Row, Section, at_least, at_most, seconds, times
from bench.runs import Run

MIN_SPEEDUP = 8
# Of these, 0.06 take turns in the budget that all functions share: one update for each request to the text source.
MAX_REQUESTS_PER_COMPANY = 0.35
# Requests to the text source, of a first run and of one over unchanged companies.
MAX_TEXT_REQUESTS_PER_COMPANY = 0.15
MAX_TEXT_REQUESTS_PER_UNCHANGED = 0.05
# Write units of DynamoDB for a company of which nothing changed.
MAX_WRITE_UNITS_PER_UNCHANGED = 1
# What they were when each observation was two items in a transaction, which costs twice as much.
_FORMER_WRITE_UNITS = 4
# How far the baseline's times per company may lie apart where larger sizes are extrapolated from them.
MAX_SPREAD = 0.15
# Below, the start of a run is a good part of it.
_MIN_SIZE_FOR_SPREAD = 300

BASELINE = (
    "a naive pipeline of the same parts on the same embedded AWS: one SendMessage per company; batches of 10, in each "
    "one text, one DetectSentiment, one PutObject and one DeleteMessage after another; five batches at once, with "
    "which Lambda starts."
)


@dataclass(frozen=True)
class Sizes:
    """Numbers of companies that are measured.

    Attributes
    ----------
    compared
        Sizes that the limits hold for, ascending.
    baseline
        Sizes that the baseline is measured at, ascending; larger ones are extrapolated.
    scaled
        Sizes that the product's growth is shown at, ascending.
    repeats
        Runs of the product at each compared size, an odd number, of which the median counts.
    """

    compared: tuple[int, ...]
    baseline: tuple[int, ...]
    scaled: tuple[int, ...]
    repeats: tuple[int, ...]


@dataclass(frozen=True)
class BaselineTime:
    """What the baseline takes.

    Attributes
    ----------
    seconds, requests
        For a whole run.
    measured
        Whether it was measured at this size, or extrapolated.
    """

    seconds: float
    requests: float
    measured: bool

    def __str__(self) -> str:
        return seconds(self.seconds) if self.measured else f"{seconds(self.seconds)} (extrapolated)"


def measure_speed(contest: Contest, sizes: Sizes) -> Section:
    """Measure first runs, second runs and what they ask of AWS."""
    section = Section("Sentiment pipeline, first run over companies that were never seen", BASELINE)
    largest = sizes.compared[-1]
    second_run = _second_run(contest, largest, sizes.baseline[0])
    for companies, repeats in zip(sizes.compared, sizes.repeats, strict=True):
        ours = contest.measure_product(companies, repeats)
        baseline = baseline_time(contest, sizes, companies)
        section.rows += _compare(companies, ours, baseline)
    section.rows += _compare_further(contest, sizes.compared[0])
    section.rows += second_run
    if largest not in sizes.baseline:
        section.rows.append(_linearity(contest, sizes))
        section.notes.append(extrapolation(sizes))
    section.notes.append(
        f"Comprehend takes {COMPREHEND_SECONDS * 1000:.0f} ms a call, the text source {TEXT_SECONDS * 1000:.0f} ms. "
        f"The product works on {PRODUCT_CONCURRENCY} batches of up to 50 at once. All Lambda processes were warm."
    )
    runs = " and ".join(str(repeats) for repeats in sizes.repeats)
    section.notes.append(
        f"The product's times here are medians of {runs} runs; all others are single runs. {disturbance(contest)}"
    )
    return section


def extrapolation(sizes: Sizes) -> str:
    """Tell how times of the baseline that were not measured come about."""
    return (
        f"Extrapolated: the baseline was measured at {_listed(sizes.baseline)} companies, and the shortest of its "
        "times per company is taken for other numbers. `make bench ARGS=--full` measures 5,000 as well."
    )


def disturbance(contest: Contest) -> str:
    """Tell how far other programs on the machine make the product look slow."""
    return (
        f"Before the runs, a loop that needs 100 ms of a processor took {contest.slowdown * 100:.0f} ms (median). More "
        "than 100 means that other programs were busy, which can slow the product, as it needs all processors, more "
        "than the baseline, as it mostly waits."
    )


def baseline_time(contest: Contest, sizes: Sizes, companies: int) -> BaselineTime:
    """Tell what the baseline takes for a number of companies, extrapolated where it was not measured."""
    nearest = contest.measure_baseline(max(size for size in sizes.baseline if size <= companies))
    if nearest.companies == companies:
        return BaselineTime(nearest.seconds, nearest.requests, measured=True)
    # The shortest time per company at any size: in doubt, the baseline is taken to be faster than it is.
    fastest = min(_seconds_per_company(contest, size) for size in sizes.baseline)
    return BaselineTime(fastest * companies, nearest.requests_per_company * companies, measured=False)


def _compare(companies: int, ours: Run, baseline: BaselineTime) -> list[Row]:
    speedup = baseline.seconds / ours.seconds
    per_company = ours.requests_per_company
    return [
        Row(
            f"Time, {companies:,} companies",
            seconds(ours.seconds),
            str(baseline),
            f"{times(speedup)} faster",
            at_least(speedup, MIN_SPEEDUP, "at least {}x faster"),
        ),
        Row(
            f"Requests per company, {companies:,} companies",
            f"{per_company:.3f}",
            f"{baseline.requests / companies:.2f}",
            f"{times(baseline.requests / ours.requests)} fewer",
            at_most(per_company, MAX_REQUESTS_PER_COMPANY, "at most {}"),
        ),
        Row(
            f"Requests to the text source per company, {companies:,} companies",
            f"{ours.text_requests / companies:.3f}",
            "1",
            f"{times(companies / ours.text_requests)} fewer",
            at_most(ours.text_requests / companies, MAX_TEXT_REQUESTS_PER_COMPANY, "at most {}"),
        ),
    ]


def _compare_further(contest: Contest, companies: int) -> list[Row]:
    """Compare what speed does not show: what Lambda charges for, and what is left of it at the same concurrency."""
    ours, baseline = contest.measure_product(companies), contest.measure_baseline(companies)
    concurrent = contest.measure_concurrent_baseline(companies)
    return [
        Row(
            f"Lambda time billed, {companies:,} companies",
            seconds(ours.billed_seconds),
            seconds(baseline.billed_seconds),
            f"{times(baseline.billed_seconds / ours.billed_seconds)} less",
        ),
        Row(
            f"Time, {companies:,} companies, baseline with {PRODUCT_CONCURRENCY} batches at once too",
            seconds(ours.seconds),
            seconds(concurrent.seconds),
            f"{times(concurrent.seconds / ours.seconds)} faster",
        ),
    ]


def _second_run(contest: Contest, companies: int, baseline_companies: int) -> list[Row]:
    ours = contest.measure_second_run(contest.product, companies)
    baseline = contest.measure_second_run(contest.baseline, baseline_companies)
    texts = ours.text_requests / companies
    return [
        Row(
            f"Comprehend calls of a second run, texts unchanged, {companies:,} companies",
            f"{ours.comprehend_calls}",
            f"{baseline.comprehend_calls / baseline_companies:g} per company (measured at {baseline_companies:,})",
            "none" if ours.comprehend_calls == 0 else f"{ours.comprehend_calls / companies:.3f} per company",
            Limit("none", ours.comprehend_calls == 0),
        ),
        Row(
            f"Requests to the text source per company in that run, {companies:,} companies",
            f"{texts:.3f}",
            f"{baseline.text_requests / baseline_companies:g}",
            f"{times(baseline.text_requests / baseline_companies / texts)} fewer",
            at_most(texts, MAX_TEXT_REQUESTS_PER_UNCHANGED, "at most {}"),
        ),
        *_writes(contest, companies, ours),
    ]


def _writes(contest: Contest, companies: int, second: Run) -> list[Row]:
    """Show what a run writes where everything is new, and where nothing is."""
    first, units = contest.measure_product(companies), second.write_units / companies
    return [
        Row(
            f"Write units per company in that run, {companies:,} companies",
            f"{units:.2f}",
            f"{_FORMER_WRITE_UNITS} (two items in a transaction)",
            f"{times(_FORMER_WRITE_UNITS / units)} fewer",
            at_most(units, MAX_WRITE_UNITS_PER_UNCHANGED, "at most {}"),
        ),
        Row(
            f"Write units per company in a first run, texts included, {companies:,} companies",
            f"{first.write_units / companies:.2f}",
            f"{_FORMER_WRITE_UNITS} (no texts)",
            f"{first.write_units / companies / _FORMER_WRITE_UNITS:.2f}x as many",
        ),
        Row(
            f"Objects in S3 a batch, first and second run, {companies:,} companies",
            f"{first.objects / first.batches:.2f} and {second.objects / second.batches:.2f}",
            "1 and 1 (rows of all companies)",
            "rows of what changed, and a summary",
        ),
    ]


def _linearity(contest: Contest, sizes: Sizes) -> Row:
    """Show that the baseline's time is proportional to the number of companies, as the extrapolation takes it to be."""
    measured = tuple(size for size in sizes.baseline if size >= _MIN_SIZE_FOR_SPREAD)
    per_company = [_seconds_per_company(contest, size) for size in measured]
    spread = max(per_company) / min(per_company) - 1
    return Row(
        f"Baseline's time per company at {_listed(measured)} companies",
        "",
        ", ".join(seconds(one) for one in per_company),
        f"{spread:.0%} apart",
        at_most(spread * 100, MAX_SPREAD * 100, "linear: at most {}% apart"),
    )


def _seconds_per_company(contest: Contest, companies: int) -> float:
    return contest.measure_baseline(companies).seconds / companies


def _listed(sizes: tuple[int, ...]) -> str:
    *first, last = (f"{size:,}" for size in sizes)
    return f"{', '.join(first)} and {last}" if first else last
