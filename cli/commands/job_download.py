"""`nlp jobs download`: the files that a job made."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import Invocation, examples, global_options, project_option
from cli.ui.errors import CliError
from cli.ui.output import hint, say, transfer_progress, write_json, write_table
from cli.ui.text import counted, printable, spoken_duration, spoken_size
from schema.jobs import FAILED, KINDS, LATEST

if TYPE_CHECKING:
    from cli.api.downloads import ResultFile

REPORT = "report.json"
NAMED = 5
# Of longer lists, the size is shown.
LISTED = 50


@click.command(
    epilog=examples(
        "nlp jobs download -p Contracts",
        "nlp jobs download -p Contracts latest --kind translate -o translated",
        "nlp jobs download -p Contracts 01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20 --force",
    )
)
@click.argument("job", default=LATEST, metavar="[JOB|latest]")
@project_option
@click.option("--kind", type=click.Choice(tuple(KINDS)), help="With `latest`: the last completed job of this kind.")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where to. [default: a folder named by the job]",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there already.")
@global_options()
@click.pass_obj
def download(
    invocation: Invocation, job: str, project: str, kind: str | None, folder: Path | None, force: bool
) -> None:
    """Download the files that a job made.

    They are its results, and report.json about every document; of a failed job, the report alone. Without an id it is
    the last completed job. When a file fails, the others are downloaded; the exit code is then 3.
    """
    from cli.api.downloads import Downloader, ResultList
    from cli.api.job_names import find_job
    from cli.api.project_names import project_id
    from cli.api.transfers import Stop, transfer_all

    stop = Stop()
    api = invocation.open_api(stop.sleep)
    found = find_job(api, project_id(api, project), job, kind)
    target = folder or Path(f"{found['kind']}-{found['job']}")
    results = ResultList(api, found["project"], found["job"])
    files = results.files()
    if not files and found["status"] == FAILED:
        raise CliError(f"The {found['kind']} job {found['job']} failed and left no files: {found['cause']}")
    if not force:
        _refuse_overwriting(target, files)
    started = time.monotonic()
    title = f"Downloading {counted(len(files), 'file')}"
    with transfer_progress(title, sum(file.size for file in files)) as received:
        outcomes = transfer_all(files, Downloader(api, results, target, stop, received).download, stop)
    done = [(file, one) for file, one in zip(files, outcomes, strict=True) if isinstance(one, Path)]
    failed = {file.name: one.message for file, one in zip(files, outcomes, strict=True) if isinstance(one, CliError)}
    _report(invocation, found, target, done, failed, time.monotonic() - started)


def _refuse_overwriting(folder: Path, files: list[ResultFile]) -> None:
    from cli.api.downloads import safe_path

    there: list[str] = []
    for file in files:
        try:
            path = safe_path(folder, file.name)
        except CliError:  # told when it is its turn
            continue
        if path.exists() or path.is_symlink():
            there.append(file.name)
    if there:
        raise CliError(
            f"{counted(len(there), 'file')} in {folder} would be overwritten ({_some(there)}): "
            "choose another folder by -o, or give --force."
        )


def _report(
    invocation: Invocation,
    job: dict[str, Any],
    folder: Path,
    done: list[tuple[ResultFile, Path]],
    failed: dict[str, str],
    seconds: float,
) -> None:
    if invocation.json:
        write_json(
            {
                "job": job["job"],
                "kind": job["kind"],
                "folder": str(folder),
                "files": [{"name": file.name, "size": file.size, "file": str(path)} for file, path in done],
                "failed": [{"name": name, "reason": reason} for name, reason in failed.items()],
                "seconds": round(seconds, 3),
            }
        )
    else:
        if 0 < len(done) <= LISTED:
            write_table(["size", "file"], [[spoken_size(file.size), file.name] for file, _ in done], right=["size"])
        total = spoken_size(sum(file.size for file, _ in done))
        where = printable(str(folder))
        say(f"Downloaded {counted(len(done), 'file')} into {where}: {total} in {spoken_duration(seconds)}.")
        _tell_failed_documents(folder / REPORT if any(file.name == REPORT for file, _ in done) else None)
    for name, reason in failed.items():
        hint(f"{printable(name)}: {printable(reason)}")
    if failed:
        from cli.api.transfers import EXIT_SOME_FAILED

        total = counted(len(done) + len(failed), "file")
        raise CliError(f"{len(failed):,} of {total} not downloaded.", EXIT_SOME_FAILED)


def _tell_failed_documents(report: Path | None) -> None:
    """Name the documents that the job could not work on, as its report does."""
    if report is None:
        return
    from cli.ui.json_input import decode_json

    documents = decode_json(report.read_bytes())["documents"]
    failed = [document for document in documents if document["status"] == "failed"]
    if failed:
        hint(f"The job could not work on {len(failed):,} of {counted(len(documents), 'document')}:")
    for document in failed[:NAMED]:
        hint(f"  {printable(document['name'])}: {printable(document.get('reason') or 'no reason was given')}")
    if len(failed) > NAMED:
        hint(f"  and {len(failed) - NAMED:,} more, in {printable(str(report))}")


def _some(names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED:,} more" if len(names) > NAMED else shown
