"""`nlp jobs`: batch jobs over all documents of a project."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from cli.commands.job_options import checked_options, fields_of_flags, kind_options
from cli.options import Invocation, examples, global_options, limit_option, project_option
from cli.ui.errors import CliError
from cli.ui.lazy_group import LazyCommand, LazyGroup
from cli.ui.output import hint, say, write_fields, write_json, write_table
from cli.ui.text import Duration, clock_duration, relative_time, spoken_duration
from schema.jobs import COMPLETED, KINDS, RUNNING, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_JOB_FAILED = 3
STYLES: dict[str, str] = dict(zip(STATUSES, ("yellow", "green", "red", "magenta", "dim"), strict=True))
Job = dict[str, Any]


def _wait_options(command: Callable[..., Any]) -> Callable[..., Any]:
    wait = click.option("--wait", is_flag=True, help="Follow the job to its end.")
    timeout = click.option(
        "--timeout",
        type=Duration(),
        default="1h",
        show_default=True,
        metavar="DURATION",
        help="With --wait: stop following after this time; the job itself goes on.",
    )
    return wait(timeout(command))


@click.group(
    cls=LazyGroup,
    epilog=examples(
        "nlp jobs start -p Contracts translate --to de --wait",
        "nlp jobs list -p Contracts",
        "nlp jobs download -p Contracts latest --kind translate",
    ),
)
@global_options()
def jobs() -> None:
    """Start, follow and cancel jobs over all documents, and download their files."""


jobs.add_command(LazyCommand("download", "cli.commands.job_download:download", "Download the files that a job made."))


@jobs.command(
    epilog=examples(
        "nlp jobs start -p Contracts translate --to de --wait",
        "nlp jobs start -p Contracts translate --from en --to de --engine marian",
        "nlp jobs start -p Contracts analyse --language en --topics 5 --summary-sentences 2",
    )
)
@click.argument("kind", type=click.Choice(tuple(KINDS)))
@project_option
@kind_options
@click.option(
    "--max-characters",
    type=click.IntRange(min=1),
    metavar="N",
    help="The most characters that the job may send to paid services. [default: the stack's limit]",
)
@_wait_options
@global_options()
@click.pass_obj
def start(
    invocation: Invocation,
    kind: str,
    project: str,
    max_characters: int | None,
    wait: bool,
    timeout: timedelta,
    **options: str | int | None,
) -> None:
    """Start a job over all documents of a project. One of a kind runs at a time.

    A job that would send more than --max-characters fails before it costs anything.

    With --wait the exit code is 3 when the job did not complete.
    """
    from uuid import uuid4

    from cli.api.errors import ApiError
    from cli.api.project_names import project_id

    limit = {"max_characters": max_characters} if max_characters else {}
    body = {"kind": kind, "options": checked_options(kind, options), **limit}
    api = invocation.api
    place = project_id(api, project)
    try:
        job = api.post("projects", place, "jobs", body=body, key=str(uuid4()))
    except ApiError as error:
        running = error.kind == "job-running"
        advice = f"See it: {invocation.command(f'jobs list -p {place} --status {RUNNING}')}" if running else ""
        fields = {f"options.{field}": flag for flag, field in fields_of_flags(kind).items()}
        fields["max_characters"] = "--max-characters"
        raise error.with_option_names(fields, advice) from None
    if wait:
        _follow(invocation, job, timeout)
    elif invocation.json:
        write_json(job)
    else:
        say(f"Started {kind} job {job['job']}.{_cost(job)}")
        hint(f"Follow it: {invocation.command(_showing(job))} --wait")


@jobs.command("list", epilog=examples("nlp jobs list -p Contracts", "nlp jobs list -p Contracts --status failed"))
@project_option
@click.option("--status", type=click.Choice(STATUSES), help="Only jobs with this status.")
@limit_option
@global_options()
@click.pass_obj
def list_jobs(invocation: Invocation, project: str, status: str | None, limit: int | None) -> None:
    """List the jobs of a project, newest first."""
    from cli.api.project_names import project_id

    api = invocation.api
    found = list(islice(api.pages("jobs", "projects", project_id(api, project), "jobs", status=status), limit))
    if invocation.json:
        write_json(found)
    elif found:
        rows = [
            [job["job"], job["kind"], job["status"], relative_time(job["requested_at"]), _clock(job)] for job in found
        ]
        write_table(["job", "kind", "status", "requested", "took"], rows, _style, right=["took"], whole=["job"])
    else:
        hint(
            f"No {status + ' ' if status else ''}jobs. Start one: {invocation.command('jobs start -p PROJECT analyse')}"
        )


@jobs.command(
    epilog=examples(
        "nlp jobs show -p Contracts 01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20 --wait",
        "nlp jobs show -p Contracts latest --kind translate",
    )
)
@click.argument("job")
@project_option
@click.option("--kind", type=click.Choice(tuple(KINDS)), help="With `latest`: the last completed job of this kind.")
@_wait_options
@global_options()
@click.pass_obj
def show(invocation: Invocation, job: str, project: str, kind: str | None, wait: bool, timeout: timedelta) -> None:
    """Show a job, by its id, or `latest`: the last completed one."""
    from cli.api.job_names import find_job
    from cli.api.project_names import project_id

    found = find_job(invocation.api, project_id(invocation.api, project), job, kind)
    if wait:
        _follow(invocation, found, timeout)
    elif invocation.json:
        write_json(found)
    else:
        _write(found)


@jobs.command(epilog=examples("nlp jobs cancel -p Contracts 01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20"))
@click.argument("job")
@project_option
@global_options()
@click.pass_obj
def cancel(invocation: Invocation, job: str, project: str) -> None:
    """Cancel a job that runs."""
    from cli.api.project_names import project_id

    cancelled = invocation.api.delete("projects", project_id(invocation.api, project), "jobs", job)
    if invocation.json:
        write_json(cancelled)
    else:
        say(f"Cancelled {cancelled['kind']} job {cancelled['job']}.")


def _follow(invocation: Invocation, job: Job, timeout: timedelta) -> None:
    from cli.api.job_follow import follow_job

    name = f"{job['kind']} job {job['job']}"
    try:
        ended = follow_job(invocation.api, job, timeout, time.monotonic)
    except KeyboardInterrupt:
        hint(f"Stopped following; the {name} goes on. See it: {invocation.command(_showing(job))}")
        raise
    if invocation.json:
        write_json(ended)
    elif ended["status"] == COMPLETED:
        say(f"The {name} is completed, in {_spoken(ended)}.")
        hint(f"Get what it made: {invocation.command(_showing(job, 'jobs download'))}")
    if ended["status"] == RUNNING:
        raise CliError(
            f"Time is up and the {name} still runs; it goes on. Follow it: {invocation.command(_showing(job))} --wait"
        )
    if ended["status"] != COMPLETED:
        cause = ended["cause"] or "no cause was given"
        raise CliError(f"The {name} is {ended['status']}: {cause}", EXIT_JOB_FAILED)


def _cost(job: Job) -> str:
    """Say what a job can cost at most; nothing where the API does not tell."""
    most = job.get("at_most")
    if not most:
        return ""
    return f" It sends at most {most['characters']:,} characters, for at most {most['dollars']:,.2f} USD."


def _showing(job: Job, command: str = "jobs show") -> str:
    return f"{command} -p {job['project']} {job['job']}"


def _write(job: Job) -> None:
    finished = job["finished_at"]
    write_fields(
        {
            "job": job["job"],
            "kind": job["kind"],
            "options": ", ".join(f"{name} {value}" for name, value in job["options"].items() if value is not None),
            "at most": _cost(job).strip() or None,
            "status": job["status"],
            "cause": job["cause"],
            "requested": f"{relative_time(job['requested_at'])} by {job['requested_by']}",
            "started": relative_time(job["started_at"]) if job["started_at"] else None,
            "finished": f"{relative_time(finished)}, after {_spoken(job)}" if finished else None,
        },
        _style,
    )


def _seconds(job: Job) -> float | None:
    """How long a job took, from when it was asked for."""
    if not job["finished_at"]:
        return None
    asked, ended = (datetime.fromisoformat(job[name]) for name in ("requested_at", "finished_at"))
    return (ended - asked).total_seconds()


def _clock(job: Job) -> str:
    seconds = _seconds(job)
    return "" if seconds is None else clock_duration(seconds)


def _spoken(job: Job) -> str:
    return spoken_duration(_seconds(job) or 0)


def _style(_heading: str, cell: str) -> str:
    return STYLES.get(cell, "")
