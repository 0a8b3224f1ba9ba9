"""What `nlp deploy` does about the account besides Pulumi's work: it warns of limits, and limits the log of batch jobs.

A deployment never fails because of these steps.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cli.ui.errors import explain
from cli.ui.output import hint

if TYPE_CHECKING:
    from cli.aws.doctor.surroundings import Surroundings


def surroundings_of(stack: str) -> Surroundings:
    """Open the account that a stack goes to, without calling it."""
    from cli.aws.doctor.surroundings import Surroundings, on_aws
    from cli.aws.stack_settings import read_settings

    return Surroundings(read_settings(stack), on_aws)


def warn_of_limits(around: Surroundings) -> None:
    """Say when the account lets fewer functions run than the stack needs."""
    from cli.aws.doctor.account import lambda_concurrency

    with _explained("The account's limits were not read"):
        found = lambda_concurrency(around)
        if found.status != "ok":
            hint(f"Warning: {found.message}. {found.advice}")


def limit_logs(around: Surroundings, *, ask: bool) -> None:
    """Limit the log of batch jobs; with `ask`, whoever deploys is asked before anything older is deleted."""
    from cli.aws.job_logs import limit_job_logs

    def may_change(question: str) -> bool:
        return ask and sys.stdin.isatty() and click.confirm(question, default=False, err=True)

    with _explained("The log of batch jobs was not looked at"):
        done = limit_job_logs(around.client("logs"), around.settings.log_days, may_change)
        if done:
            hint(done)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        hint(f"{what}: {explained.message}")
