"""`nlp observations`: what was observed of companies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, say, write_json, write_table
from cli.ui.text import Since, companies_counted, counted, did_you_mean, printable, relative_time
from schema.companies import CANDIDATE_SEPARATOR, RESULT_COLUMNS
from schema.csv_rows import Cell, write_rows

if TYPE_CHECKING:
    from cli.aws.observations import Observation

STYLES = {
    "POSITIVE": "green",
    "NEGATIVE": "red",
    "MIXED": "yellow",
    "NEUTRAL": "cyan",
    "NOT_FOUND": "dim",
    "AMBIGUOUS": "magenta",
    "UNSUPPORTED": "dim",
}


def label_style(_heading: str, cell: str) -> str:
    """Answer rich's style for a cell: labels are coloured."""
    return STYLES.get(cell, "")


@click.command(
    epilog=examples(
        "nlp observations",
        "nlp observations --company Nike --since 7d",
        "nlp observations --since 2026-11-01 --csv > observations.csv",
        "nlp observations --json | jq '.[] | select(.label == \"NEGATIVE\") | .company'",
    ),
)
@click.option("--company", metavar="NAME", help="Show the history of this company, newest first.")
@click.option("--since", type=Since(), metavar="WHEN", help="Only what is newer: 30m, 12h, 7d, 2w or 2026-11-21.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show at most N observations.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, as in the results bucket.")
@global_options()
@click.pass_obj
def observations(
    invocation: Invocation, company: str | None, since: datetime | None, limit: int | None, as_csv: bool
) -> None:
    """Show what was observed of companies.

    It is the latest observation of every company, or the history of one.
    """
    if as_csv and invocation.json:
        raise click.UsageError("Give --csv or --json, not both.")
    found = _found(invocation, company, since, limit)
    if invocation.json:
        write_json(found)
    elif as_csv:
        click.echo(_csv(found), nl=False)
    elif found:
        _write_observations(found, with_company=company is None)


def _found(invocation: Invocation, company: str | None, since: datetime | None, limit: int | None) -> list[Observation]:
    if company is None:
        return _latest(invocation, since, limit)
    return _history(invocation, company, since, limit)


def _latest(invocation: Invocation, since: datetime | None, limit: int | None) -> list[Observation]:
    from cli.aws.company_store import CompanyStore
    from cli.aws.observations import latest_observations

    names = CompanyStore(invocation.deployment).names()
    if not names:
        hint("No companies yet. Add one: nlp companies add -i NAME")
        return []
    found = latest_observations(invocation.deployment, names)
    if len(found) < len(names):
        hint(f"{companies_counted(len(names) - len(found))} without an observation yet: nlp run --wait")
    if since is None:
        return found[:limit]
    oldest = f"{since:%Y-%m-%dT%H:%M:%SZ}"
    recent = [observation for observation in found if observation.looked_at >= oldest]
    if found and not recent:
        hint(f"Nothing was observed since {since.astimezone():%Y-%m-%d %H:%M}.")
    return recent[:limit]


def _history(invocation: Invocation, company: str, since: datetime | None, limit: int | None) -> list[Observation]:
    from cli.aws.company_store import CompanyStore
    from cli.aws.observations import history
    from cli.ui.names import from_options
    from schema.names import stored_company_name

    (name,) = from_options([company], stored_company_name)
    found = history(invocation.deployment, name, since, limit)
    if found:
        return found
    store = CompanyStore(invocation.deployment)
    if not store.has(name) and not history(invocation.deployment, name, None, 1):
        raise CliError(f"There is no company {name!r}{did_you_mean(name, store.names())}: see `nlp companies list`.")
    when = f" since {since.astimezone():%Y-%m-%d %H:%M}" if since else " yet: nlp run --wait"
    hint(f"No observation of {printable(name)}{when}")
    return []


def _csv(observations: Sequence[Observation]) -> bytes:
    """Write CSV as in the results bucket, so that the same program can read both."""
    rows = [[_cell(observation, column) for column in RESULT_COLUMNS] for observation in observations]
    return write_rows([RESULT_COLUMNS, *rows])


def _cell(observation: Observation, column: str) -> Cell:
    value = getattr(observation, column)
    return CANDIDATE_SEPARATOR.join(value) if column == "candidates" else value


def _write_observations(observations: Sequence[Observation], *, with_company: bool) -> None:
    from cli.aws.observations import SCORES

    now = datetime.now(UTC)
    rows = [
        [
            *([observation.company] if with_company else []),
            observation.label,
            *(_score(getattr(observation, score)) for score in SCORES),
            relative_time(observation.looked_at, now),
            ("same" if observation.unchanged else "new") if observation.revision else "",
            observation.snippet or observation.reason or ", ".join(observation.candidates),
        ]
        for observation in observations
    ]
    first = ["company"] if with_company else []
    columns = [*first, "label", "pos", "neg", "neu", "mix", "observed", "text", "snippet"]
    write_table(columns, rows, label_style, right=["pos", "neg", "neu", "mix"])
    if not with_company:
        say(f"{counted(len(observations), 'observation')} of {printable(observations[0].company)}")


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
