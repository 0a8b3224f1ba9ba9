"""Measuring Python processes: what they print, from their start to their end."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.runs import BenchmarkError
from local.deploy.deployer import ROOT

_TIMEOUT_SECONDS = 180


@dataclass(frozen=True)
class Child:
    """A process that has ended.

    Attributes
    ----------
    seconds
        By the clock, from its start to its end.
    processor_seconds
        Processor time it used, its start and end included.
    answer
        What the last line it printed says, read as JSON.
    """

    seconds: float
    processor_seconds: float
    answer: Any


def run_python(*arguments: str, environment: Mapping[str, str] | None = None) -> Child:
    """Run this Python with arguments, in the project's folder.

    Parameters
    ----------
    arguments
        Such as ``-c`` and a program, which prints JSON last.
    environment
        The whole environment; this process's own when absent.

    Raises
    ------
    BenchmarkError
        It failed, or printed nothing.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(  # noqa: S603 - programs of the benchmark, no outside input
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    if done.returncode or not done.stdout.strip():
        raise BenchmarkError(f"python {arguments[0]} {arguments[1][:60]}:\n{done.stderr.strip()[-2000:]}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Child(ended - started, used, json.loads(done.stdout.splitlines()[-1]))
