"""`nlp companies`: which companies are watched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.commands.text_limit import warn_of_too_many
from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, progress, say, write_json, write_table
from cli.ui.text import companies_counted, counted, printable

if TYPE_CHECKING:
    from cli.api.companies import Company, CompanyList

# Of longer lists, the size is shown.
LISTED = 50
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@click.group(epilog=examples("nlp companies list", "nlp companies add -i Nike -i Adidas"))
@global_options()
def companies() -> None:
    """Manage the companies that are watched."""


def _list(invocation: Invocation) -> CompanyList:
    from cli.api.companies import CompanyList
    from cli.api.transfers import Stop

    stop = Stop()
    return CompanyList(invocation.open_api(stop.sleep), stop)


@companies.command("list", epilog=examples("nlp companies list", "nlp companies list --json | jq length"))
@global_options()
@click.pass_obj
def list_companies(invocation: Invocation) -> None:
    """List the companies, ordered by name."""
    found = _list(invocation).all()
    if invocation.json:
        write_json(found)
    elif found:
        write_table(
            ["name", "page", "added"],
            [[company.name, company.page or "", company.added_at or ""] for company in found],
        )
    else:
        hint("No companies yet. Add one: nlp companies add -i NAME")


def _names_options(command: Decorated) -> Decorated:
    names = click.option("-i", "items", metavar="NAME", multiple=True, help="A company's name. Repeatable.")
    file = click.option(
        "-f", "file", metavar="FILE", help="File with one name per line; # starts a comment line; - is stdin."
    )
    return names(file(command))


def _chosen_names(items: Sequence[str], file: str | None, normalise: Callable[[str], str]) -> list[str]:
    from cli.ui.names import from_file, from_options

    if bool(items) == bool(file):
        raise click.UsageError("Give names by -i NAME (repeatable) or by -f FILE: one of them, not both.")
    if file is None:
        return from_options(items, normalise)
    names = from_file(file, normalise)
    if not names:
        raise CliError(f"There is no name in {'stdin' if file == '-' else file}: write one per line.")
    return names


@companies.command(
    epilog=examples(
        "nlp companies add -i Nike -i 'Marks & Spencer'",
        "nlp companies add -i Apple --page 'Apple Inc.'",
        "nlp companies add -f names.txt",
        "sort names.txt | nlp companies add -f -",
    )
)
@_names_options
@click.option("--page", metavar="TITLE", help="Title of its page on Wikipedia. Only with a single -i.")
@global_options()
@click.pass_obj
def add(invocation: Invocation, items: tuple[str, ...], file: str | None, page: str | None) -> None:
    """Add companies. One that is already there stays as it is."""
    from cli.api.companies import Company
    from cli.ui.names import from_options
    from schema.names import normalise_company_name

    names = _chosen_names(items, file, normalise_company_name)
    if page is not None and (file or len(items) != 1):
        raise click.UsageError("--page needs exactly one -i NAME.")
    title = from_options([page])[0] if page is not None else None
    _add(invocation, [Company(name, title) for name in names])


@companies.command("import", epilog=examples("nlp companies import companies.csv"))
@click.argument("file")
@global_options()
@click.pass_obj
def import_(invocation: Invocation, file: str) -> None:
    """Add the companies in FILE: .csv (header name,page), .json (array of names or objects) or .txt."""
    from cli.commands.company_files import read_companies

    found = read_companies(file)
    if not found:
        raise CliError(f"There is no company in {file}.")
    _add(invocation, found)


def _add(invocation: Invocation, wanted: Sequence[Company]) -> None:
    watched = _list(invocation)
    before = [company.name for company in watched.all()]
    there = set(before)
    new = [company for company in wanted if company.name not in there]
    with _changing("Adding companies", len(new)) as finished:
        watched.add(new, finished)
    warn_of_too_many(invocation, len(before) + len(new))
    added = [company.name for company in new]
    _report(
        invocation,
        before,
        {"added": added, "already there": [company.name for company in wanted if company.name in there]},
        watched,
    )


@companies.command(
    epilog=examples(
        "nlp companies remove -i Nike",
        "nlp companies remove -f names.txt",
        "nlp companies remove -i Nike --purge",
    )
)
@_names_options
@click.option("--purge", is_flag=True, help="Also delete their observations. Needs AWS credentials.")
@global_options()
@click.pass_obj
def remove(invocation: Invocation, items: tuple[str, ...], file: str | None, purge: bool) -> None:
    """Remove companies. Their observations stay unless --purge is given."""
    from schema.names import stored_company_name

    names = _chosen_names(items, file, stored_company_name)
    watched = _list(invocation)
    before = [company.name for company in watched.all()]
    there = set(before)
    removed = [name for name in names if name in there]
    with _changing("Removing companies", len(removed)) as finished:
        watched.remove(removed, finished)
    purged = _purge(invocation, names) if purge else None
    changes = {"removed": removed, "not there": [name for name in names if name not in there]}
    _report(invocation, before, changes, watched, purged)


def _purge(invocation: Invocation, names: list[str]) -> int:
    from cli.aws.company_store import CompanyStore

    with progress("Purging observations", len(names)) as finished:
        return CompanyStore(invocation.deployment).purge(names, finished)


@companies.command(epilog=examples("nlp companies update -o Facebook -n 'Meta Platforms'"))
@click.option("-o", "--old", required=True, metavar="OLD", help="The company's name now.")
@click.option("-n", "--new", required=True, metavar="NEW", help="Its new name.")
@global_options()
@click.pass_obj
def update(invocation: Invocation, old: str, new: str) -> None:
    """Rename a company. Nothing changes when OLD is not there or NEW already is."""
    from cli.ui.names import from_options
    from schema.names import stored_company_name

    (old,), (new,) = from_options([old], stored_company_name), from_options([new])
    reasons = {
        "missing": f"{old!r} is not in the table",
        "taken": f"{new!r} is already in the table",
        "unchanged": f"{old!r} already has this name",
    }
    refused = reasons.get(_list(invocation).rename(old, new))
    if invocation.json:
        write_json({"old": old, "new": new, "renamed": refused is None, "reason": refused})
    elif refused:
        say(f"Nothing changed: {refused}.")
    else:
        say(f"Renamed {printable(old)} to {printable(new)}.")
        hint(f"Earlier observations stay under {printable(old)}: nlp observations --company {printable(old)!r}")


@companies.command(
    epilog=examples(
        "nlp companies export companies.csv",
        "nlp companies export --format json | jq length",
        "nlp companies export -",
    )
)
@click.argument("file", required=False, default="-")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json", "txt"]),
    help="Default: by FILE's ending; csv on stdout.",
)
@global_options()
@click.pass_obj
def export(invocation: Invocation, file: str, kind: str | None) -> None:
    """Write all companies to FILE or stdout, as `nlp companies import` reads them."""
    from cli.commands.company_files import format_of, write_companies

    if kind is None and file != "-":
        kind = format_of(file)
    found = _list(invocation).all()
    content = write_companies(found, kind or ("json" if invocation.json else "csv"))
    if file == "-":
        click.echo(content, nl=False)
    else:
        try:
            Path(file).write_bytes(content)
        except OSError as error:
            raise CliError(f"Cannot write {file}: {error.strerror}.") from None
        hint(f"Wrote {companies_counted(len(found))} to {printable(file)}.")
    if kind == "txt" and any(company.page for company in found):
        hint("Plain text has no room for titles of pages: use --format csv to keep them.")


@contextmanager
def _changing(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show the progress of changes; when they are stopped, say what to do."""
    try:
        with progress(title, total) as finished:
            yield finished
    except KeyboardInterrupt:
        hint("Stopped. What was done stays done: run the command again, or see `nlp companies list`.")
        raise


def _report(
    invocation: Invocation,
    before: Sequence[str],
    changes: dict[str, list[str]],
    watched: CompanyList,
    purged: int | None = None,
) -> None:
    after = [company.name for company in watched.all()]
    if invocation.json:
        report: dict[str, Any] = {key.replace(" ", "_"): names for key, names in changes.items()}
        if purged is not None:
            report["purged_records"] = purged
        write_json({"before": len(before), **report, "after": len(after)})
        return
    _show_list("Before", before)
    for title, names in changes.items():
        say(f"{title.capitalize()}: {_joined(names)}")
    if purged is not None:
        say(f"Purged: {counted(purged, 'record')} of observations")
    _show_list("After", after)


def _show_list(title: str, names: Sequence[str]) -> None:
    if len(names) > LISTED or not names:
        say(f"{title}: {companies_counted(len(names))}")
        return
    say(f"{title} ({companies_counted(len(names))}):")
    for name in names:
        say(f"  {printable(name)}")


def _joined(names: Iterable[str]) -> str:
    shown = [printable(name) for name in names]
    return companies_counted(len(shown)) if len(shown) > LISTED else ", ".join(shown) or "none"
