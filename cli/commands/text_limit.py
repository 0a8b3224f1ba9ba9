"""Warning of more companies than the limit on requests to the text source allows."""

from __future__ import annotations

from cli.options import Invocation
from cli.ui.output import hint
from cli.ui.text import companies_counted


def warn_of_too_many(invocation: Invocation, companies: int) -> None:
    """Tell on stderr if the deployment's schedule leaves too little time for so many companies."""
    deployment = invocation.deployment
    most = deployment.optional_output("companies_that_fit")
    if most.isdigit() and companies > int(most):
        hint(
            f"Too many for the schedule, {deployment.optional_output('schedule')}: the limit on requests to the text "
            f"source allows {companies_counted(int(most))} per run, and {companies_counted(companies)} are watched. "
            "Some runs will be left out. Set sentiment.schedule to a longer interval, or get a higher limit."
        )
