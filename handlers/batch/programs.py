"""Programs of the kinds of jobs, found by the name in their declaration."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.batch.job import Job
from handlers.batch.report import Report
from schema.job_kind import JobKind

# Writes the results of all instances. Parameters: the instances' folders, the folder of the results, the options.
Merge = Callable[[Sequence[Path], Path, Any], None]


@dataclass(frozen=True)
class Program:
    """What runs the jobs of a kind.

    Attributes
    ----------
    run
        Does this instance's share of a job, with the job's options.
    merge
        Writes the results of several instances besides their report; None where the report is all there is to merge.
    """

    run: Callable[[Job, Any], Report]
    merge: Merge | None


def program_of(kind: JobKind) -> Program:
    """Import the program of a kind."""
    module = importlib.import_module(kind.program)
    return Program(module.run, getattr(module, "merge", None))
