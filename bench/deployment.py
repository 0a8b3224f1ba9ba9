"""What evaluating and deploying the Pulumi program takes."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable

from bench.children import run_python
from bench.report import Row, Section, at_most, seconds, times

MAX_EVALUATION_SECONDS = 3

BASELINE = (
    "for the evaluation, a process that imports pulumi and pulumi_aws; for the deployment, the same resources made by "
    "bare boto3 calls, one after another, on a second embedded AWS."
)
_MEBIBYTE = 2**20
_IMPORTS = """
import json
import pulumi, pulumi_aws
from bench.program import peak_memory_bytes
print(json.dumps({"peak_bytes": peak_memory_bytes()}))
"""


def measure_deployment(say: Callable[[str], None], evaluations: int, deployments: int) -> Section:
    """Measure evaluation and deployment.

    Parameters
    ----------
    say
        Called with a description of each step.
    evaluations, deployments
        Times that each is done, of which the median counts.
    """
    section = Section("The Pulumi program, stack local", BASELINE)
    with tempfile.TemporaryDirectory(prefix="cloud-nlp-bench-") as bytecode:
        # Compiled once, as where the program was evaluated before; some machines are set not to keep what they compile.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        say("evaluating the program")
        section.rows += _evaluation_rows(evaluations, environment)
        say("deploying the program")
        section.rows.append(_deployment_row(deployments, environment))
    section.notes.append(
        "Every measurement is a process of its own, import of Pulumi included; times are medians. Evaluation is "
        "processor time, which other programs change less than the clock. The layer had been built before."
    )
    section.notes.append(
        "Published by the first system that this product replaces, for AWS itself: 3 min 17 s with SAM, 24 min 35 s in "
        "the console. The embedded AWS makes resources at once, so its times say nothing of a deployment to AWS."
    )
    return section


def _evaluation_rows(repeats: int, environment: dict[str, str]) -> list[Row]:
    programs = (("-m", "bench.program"), ("-c", _IMPORTS))
    for arguments in programs:  # fills the caches of files and bytecode
        run_python(*arguments, environment=environment)
    pairs = [[run_python(*arguments, environment=environment) for arguments in programs] for _ in range(repeats)]
    ours, baseline = (
        statistics.median(child.processor_seconds for child in column) for column in zip(*pairs, strict=True)
    )
    by_clock = statistics.median(child.seconds for child, _ in pairs)
    memory, baseline_memory = (
        max(child.answer["peak_bytes"] for child in column) for column in zip(*pairs, strict=True)
    )
    resources = pairs[0][0].answer["resources"]
    return [
        Row(
            f"Evaluation with mocks, {resources} resources",
            f"{seconds(ours)} ({seconds(by_clock)} by the clock)",
            seconds(baseline),
            f"{times(ours / baseline)} as long",
            at_most(ours, MAX_EVALUATION_SECONDS, "at most {} s"),
        ),
        Row(
            "Peak memory of the evaluation",
            f"{memory / _MEBIBYTE:.0f} MiB",
            f"{baseline_memory / _MEBIBYTE:.0f} MiB",
            f"{times(memory / baseline_memory)} as much",
        ),
    ]


def _deployment_row(repeats: int, environment: dict[str, str]) -> Row:
    measured = [run_python("-m", "bench.deployment_run", environment=environment).answer for _ in range(repeats)]
    ours, baseline = (statistics.median(one[name] for one in measured) for name in ("program", "bare"))
    return Row(
        f"Deployment to the embedded AWS, {measured[0]['resources']} resources",
        seconds(ours),
        seconds(baseline),
        f"{times(ours / baseline)} as long",
    )
