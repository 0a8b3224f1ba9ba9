"""The product and the naive baseline side by side on one embedded AWS; measured runs are kept and used again."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable

from bench.naive.stack import CONCURRENCY, deploy_naive, result_count, set_concurrency
from bench.runs import BenchmarkError, Run, System
from local.aws.embedded_aws import EmbeddedAws
from local.demo.pipeline_client import follow_run
from local.deploy.stack import deploy_to

# What one call takes, as the embedded AWS imitates Amazon Comprehend and Wikipedia.
COMPREHEND_SECONDS = 0.05
TEXT_SECONDS = 0.1
# Batches at once, by which the baseline is measured a second time: as many as stack `local` gives the product.
PRODUCT_CONCURRENCY = 10

_SENTIMENTS = {"POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"}
_WARM_UP_COMPANIES = 500
_BASELINE_WARM_UP_COMPANIES = 100
_PROBE_SECONDS = 0.1


class Contest:
    """Runs of both systems.

    Parameters
    ----------
    aws
        An embedded AWS that has just been started.
    say
        Called with a description of each step.

    Attributes
    ----------
    product, baseline
        The systems.
    slowdown
        By how much other programs slowed this machine down, as a factor; 1 is not at all.
    product_runs, baseline_runs
        By number of companies, what was measured of first runs.
    """

    def __init__(self, aws: EmbeddedAws, say: Callable[[str], None]) -> None:
        self._say = say
        self._aws = aws
        say("deploying the product and the naive baseline")
        self.product = _deploy_product(aws)
        self.baseline = self._deploy_baseline()
        aws.control.generate_texts()
        aws.control.set_latency("comprehend", COMPREHEND_SECONDS)
        aws.control.set_text_latency(TEXT_SECONDS)
        self._slowdowns: list[float] = []
        self.product_runs: defaultdict[int, list[Run]] = defaultdict(list)
        self.baseline_runs: defaultdict[int, list[Run]] = defaultdict(list)
        # The embedded AWS starts a process for each batch that is worked on at once; that is not what is measured.
        say("warming up")
        for _ in range(2):
            self.product.first_run(_WARM_UP_COMPANIES)
        self.baseline.first_run(_BASELINE_WARM_UP_COMPANIES)

    @property
    def slowdown(self) -> float:  # noqa: D102 - see the class
        return statistics.median(self._slowdowns)

    def measure_product(self, companies: int, repeats: int = 1) -> Run:
        """Give the median of the product's runs over this many companies, after as many more as are missing."""
        return self._measure(self.product, self.product_runs[companies], companies, repeats)

    def measure_baseline(self, companies: int, repeats: int = 1) -> Run:
        """Give the median of the baseline's runs over this many companies, after as many more as are missing."""
        return self._measure(self.baseline, self.baseline_runs[companies], companies, repeats)

    def measure_second_run(self, system: System, companies: int) -> Run:
        """Measure a system's second run over companies whose texts have not changed; the first is kept as well."""
        names = system.watch(companies)
        self._say(f"{self._name(system)}, {companies:,} companies, two runs")
        runs = self.product_runs if system is self.product else self.baseline_runs
        runs[companies].append(self._run(system, names))
        return self._run(system, names)

    def measure_concurrent_baseline(self, companies: int) -> Run:
        """Measure the baseline with as many batches at once as the product has."""
        set_concurrency(self._aws, self._naive, PRODUCT_CONCURRENCY)
        self._say(f"baseline with {PRODUCT_CONCURRENCY} batches at once, {companies:,} companies")
        self.baseline.first_run(_BASELINE_WARM_UP_COMPANIES)
        run = self.baseline.first_run(companies)
        set_concurrency(self._aws, self._naive, CONCURRENCY)
        return run

    def _measure(self, system: System, runs: list[Run], companies: int, repeats: int) -> Run:
        while len(runs) < repeats:
            self._say(f"{self._name(system)}, {companies:,} companies")
            runs.append(self._run(system, system.watch(companies)))
        return median(runs)

    def _run(self, system: System, names: list[str]) -> Run:
        self._slowdowns.append(slowdown())
        return system.run(names)

    def _name(self, system: System) -> str:
        return "product" if system is self.product else "baseline"

    def _deploy_baseline(self) -> System:
        self._naive = deploy_naive(self._aws)
        seen: set[str] = set()

        def check(_run: str, companies: list[str]) -> None:
            seen.update(companies)
            if (results := result_count(self._aws, self._naive)) != len(seen):
                raise BenchmarkError(f"the baseline wrote {results} results for {len(seen)} companies")

        functions = (self._naive.producer, self._naive.consumer)
        return System(self._aws, self._naive.table, self._naive.queue_url, functions, check)


def median(runs: list[Run]) -> Run:
    """Choose the run whose time is the median."""
    middle = statistics.median_low(run.seconds for run in runs)
    return next(run for run in runs if run.seconds == middle)


def slowdown() -> float:
    """Tell how much longer than on an idle machine a short calculation takes."""
    started, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < _PROBE_SECONDS:
        pass
    return (time.perf_counter() - started) / _PROBE_SECONDS


def _deploy_product(aws: EmbeddedAws) -> System:
    stack = deploy_to(aws)
    outputs = stack.outputs

    def check(run: str, companies: list[str]) -> None:
        items = follow_run(stack, run, companies, timeout_seconds=0)
        if labels := {item["label"]["S"] for item in items} - _SENTIMENTS:
            raise BenchmarkError(f"{run}: companies were not analysed but {sorted(labels)}")

    functions = (outputs["dispatch_function"], outputs["analyse_function"])
    return System(aws, outputs["companies_table"], outputs["work_queue_url"], functions, check)
