"""How time and requests of the sentiment pipeline grow with the number of companies."""

from __future__ import annotations

from bench.contest import Contest
from bench.report import Row, Section, at_most, seconds, times
from bench.speed import BASELINE, Sizes, baseline_time, disturbance, extrapolation

# Ten times the companies may take ten times as long, and somewhat longer where the machine is busy with other things.
MAX_GROWTH_OF_COST = 1.2


def measure_scaling(contest: Contest, sizes: Sizes) -> Section:
    """Measure runs over ever more companies, and compare what a company costs with the decade before the last size."""
    section = Section("Growth with the number of companies, first run", BASELINE)
    for companies in sizes.scaled:
        run = contest.measure_product(companies)
        baseline = baseline_time(contest, sizes, companies)
        section.rows.append(
            Row(
                f"{companies:,} companies",
                f"{seconds(run.seconds)}, {run.requests:,} requests",
                f"{baseline}, {baseline.requests:,.0f} requests",
                f"{times(baseline.seconds / run.seconds)} faster",
            )
        )
    section.rows += _growth(contest, sizes)
    section.notes += [extrapolation(sizes), disturbance(contest)]
    return section


def _growth(contest: Contest, sizes: Sizes) -> list[Row]:
    last = contest.measure_product(sizes.scaled[-1])
    reference = contest.measure_product(max(size for size in sizes.scaled if size <= sizes.scaled[-1] // 10))
    span = f"{reference.companies:,} to {last.companies:,} companies"
    more = last.companies / reference.companies
    growths = (
        ("Time", last.seconds / reference.seconds),
        ("Requests", last.requests / reference.requests),
    )
    return [
        Row(
            f"{what} from {span}",
            times(growth),
            f"{times(more)} companies",
            f"{growth / more:.2f} of linear",
            at_most(growth / more, MAX_GROWTH_OF_COST, "linear or better (at most {}, for noise)"),
        )
        for what, growth in growths
    ]
