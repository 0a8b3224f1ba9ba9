"""`nlp results` and `nlp results download`: former names of `nlp observations` and `nlp jobs download`."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.job_download import download
from cli.commands.observations import observations
from cli.ui.output import hint


@click.group(hidden=True, invoke_without_command=True, params=[*observations.params], epilog=observations.epilog)
@click.pass_context
def results(context: click.Context, **options: Any) -> None:
    """Former name of `nlp observations`, and of `nlp jobs download`."""
    if context.invoked_subcommand is None:
        hint("`nlp results` is now `nlp observations`.")
        context.forward(observations)
    elif any(options.values()):
        raise click.UsageError(f"Options of observations are not for {context.invoked_subcommand}.")


@results.command("download", hidden=True, params=[*download.params], epilog=download.epilog)
@click.pass_context
def download_results(context: click.Context, **_options: Any) -> None:
    """Former name of `nlp jobs download`."""
    hint("`nlp results download` is now `nlp jobs download`.")
    context.forward(download)
