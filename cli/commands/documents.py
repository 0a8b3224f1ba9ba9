"""`nlp documents`: the documents of a project, which its jobs read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import Invocation, examples, global_options, limit_option, project_option
from cli.ui.errors import CliError
from cli.ui.output import hint, say, transfer_progress, write_json, write_table
from cli.ui.text import counted, printable, relative_time, spoken_duration, spoken_size

if TYPE_CHECKING:
    from cli.ui.document_files import Selection

# Of longer lists, the size is shown.
LISTED = 50
NAMED = 5
Uploaded = list[tuple[Path, dict[str, Any]]]


@click.group(epilog=examples("nlp documents upload -p Contracts *.docx", "nlp documents list -p Contracts"))
@global_options()
def documents() -> None:
    """Manage the documents of a project."""


@documents.command(
    "list", epilog=examples("nlp documents list -p Contracts", "nlp documents list -p Contracts --json | jq length")
)
@project_option
@limit_option
@global_options()
@click.pass_obj
def list_documents(invocation: Invocation, project: str, limit: int | None) -> None:
    """List the documents of a project, newest first."""
    from cli.api.project_names import project_id

    api = invocation.api
    found = list(islice(api.pages("documents", "projects", project_id(api, project), "documents"), limit))
    if invocation.json:
        write_json(found)
    elif found:
        rows = [
            [
                document["document"],
                spoken_size(document["size"]) if document["uploaded"] else "not sent",
                relative_time(document["created_at"]),
                document["name"],
            ]
            for document in found
        ]
        write_table(["document", "size", "created", "name"], rows, _style, right=["size"], whole=["document"])
        for document in found:
            if document.get("refused"):
                hint(f"{printable(document['name'])} was removed: {printable(document['refused'])}")
    else:
        hint(f"No documents yet. Upload some: {invocation.command('documents upload -p PROJECT FILE...')}")


@documents.command(
    epilog=examples(
        "nlp documents upload -p Contracts contract.docx notes.md",
        "nlp documents upload -p Contracts ~/contracts",
        "nlp documents upload -p Contracts *.docx --json | jq -r '.uploaded[].document'",
    )
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@project_option
@global_options()
@click.pass_obj
def upload(invocation: Invocation, project: str, files: tuple[Path, ...]) -> None:
    """Upload files, and those in folders at any depth.

    Documents are .docx, .txt, .md and .html of 1 byte to 100 MiB. One that fails does not stop the others; the exit
    code is then 3.
    """
    from cli.ui.document_files import ENDINGS, select

    selection = select(files)
    if not selection.files and not selection.refused:
        raise CliError(f"There is no document among these files: a document ends in {', '.join(ENDINGS)}.")
    started = time.monotonic()
    uploaded: Uploaded = []
    failed = dict(selection.refused)
    if selection.files:
        _upload(invocation, project, selection, uploaded, failed)
    _report(invocation, selection, uploaded, failed, time.monotonic() - started)


def _upload(
    invocation: Invocation, project: str, selection: Selection, uploaded: Uploaded, failed: dict[Path, str]
) -> None:
    from cli.api.project_names import find_project
    from cli.api.transfers import Stop, transfer_all
    from cli.api.uploads import Uploader

    stop = Stop()
    api = invocation.open_api(stop.sleep)
    found = find_project(api, project)
    if not found["active"]:
        restore = invocation.command(f"projects change {found['project']} --restore")
        raise CliError(f"The project is archived. Bring it back: {restore}")
    title = f"Uploading {counted(len(selection.files), 'file')}"
    try:
        with transfer_progress(title, sum(file.size for file in selection.files)) as sent:
            uploader = Uploader(api, found["project"], stop, sent)
            outcomes = transfer_all(selection.files, uploader.upload, stop)
    except KeyboardInterrupt:
        see = invocation.command(f"documents list -p {found['project']}")
        hint(f"Stopped. See what was uploaded before: {see}")
        raise
    for file, outcome in zip(selection.files, outcomes, strict=True):
        if isinstance(outcome, CliError):
            failed[file.path] = outcome.message
        else:
            uploaded.append((file.path, {**outcome, "uploaded": True, "size": file.size}))


def _report(
    invocation: Invocation, selection: Selection, uploaded: Uploaded, failed: dict[Path, str], seconds: float
) -> None:
    if invocation.json:
        write_json(
            {
                "uploaded": [{"file": str(path), **document} for path, document in uploaded],
                "failed": [{"file": str(path), "reason": reason} for path, reason in failed.items()],
                "skipped": [str(path) for path in selection.skipped],
                "seconds": round(seconds, 3),
            }
        )
    else:
        _write_uploaded(uploaded, seconds)
        if selection.skipped:
            hint(f"Skipped {counted(len(selection.skipped), 'file')} of other types: {_some(selection.skipped)}")
        for path, reason in failed.items():
            hint(f"{printable(str(path))}: {printable(reason)}")
    if failed:
        from cli.api.transfers import EXIT_SOME_FAILED

        total = len(uploaded) + len(failed)
        raise CliError(f"{len(failed):,} of {counted(total, 'file')} not uploaded.", EXIT_SOME_FAILED)


def _write_uploaded(uploaded: Uploaded, seconds: float) -> None:
    if 0 < len(uploaded) <= LISTED:
        rows = [[document["document"], spoken_size(document["size"]), str(path)] for path, document in uploaded]
        write_table(["document", "size", "file"], rows, right=["size"], whole=["document"])
    size = sum(document["size"] for _, document in uploaded)
    say(f"Uploaded {counted(len(uploaded), 'file')}, {spoken_size(size)} in {spoken_duration(seconds)}.")


@documents.command(epilog=examples("nlp documents delete -p Contracts 01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20"))
@click.argument("ids", nargs=-1, required=True, metavar="DOCUMENT...")
@project_option
@global_options()
@click.pass_obj
def delete(invocation: Invocation, project: str, ids: tuple[str, ...]) -> None:
    """Delete documents, by their ids, with their content."""
    from cli.api.errors import ApiError
    from cli.api.project_names import project_id
    from cli.api.transfers import EXIT_SOME_FAILED

    api = invocation.api
    place = ("projects", project_id(api, project), "documents")
    deleted: list[str] = []
    failed: dict[str, str] = {}
    for document in dict.fromkeys(ids):
        try:
            api.delete(*place, document)
        except ApiError as error:
            # A first request, whose answer was lost, may have deleted it.
            if not (error.status == 404 and error.repeated):
                failed[document] = error.message
                continue
        deleted.append(document)
    if invocation.json:
        write_json(
            {"deleted": deleted, "failed": [{"document": one, "reason": reason} for one, reason in failed.items()]}
        )
    elif deleted:
        say(f"Deleted {counted(len(deleted), 'document')}.")
    for document, reason in failed.items():
        hint(f"{printable(document)}: {printable(reason)}")
    if failed:
        total = counted(len(deleted) + len(failed), "document")
        raise CliError(f"{len(failed):,} of {total} not deleted.", EXIT_SOME_FAILED)


def _some(paths: Sequence[Path]) -> str:
    shown = ", ".join(printable(path.name) for path in paths[:NAMED])
    return f"{shown} and {len(paths) - NAMED:,} more" if len(paths) > NAMED else shown


def _style(_heading: str, cell: str) -> str:
    return "yellow" if cell == "not sent" else ""
