"""`nlp run`: analyse all companies now."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, progress, say, write_json, write_table
from cli.ui.text import Duration, companies_counted, printable, spoken_duration

if TYPE_CHECKING:
    from cli.aws.deployment import Deployment
    from cli.aws.follow import Outcome

EXIT_COMPANIES_FAILED = 3
FAILED_NAMED = 5


@click.command(epilog=examples("nlp run", "nlp run --wait", "nlp run --wait --timeout 1h --json"))
@click.option("--wait", is_flag=True, help="Follow the run to its end.")
@click.option(
    "--timeout",
    type=Duration(),
    default="15m",
    show_default=True,
    metavar="DURATION",
    help="With --wait: stop following after this time; the run itself goes on.",
)
@global_options()
@click.pass_obj
def run(invocation: Invocation, wait: bool, timeout: timedelta) -> None:
    """Start a run now: every company is analysed.

    With --wait the exit code is 3 when companies failed.
    """
    from cli.aws.company_store import CompanyStore

    deployment = invocation.deployment
    names = CompanyStore(deployment).names()
    if not names:
        if invocation.json:
            write_json({"run": None, "companies": 0})
        hint("There are no companies to analyse. Add some: nlp companies add -i NAME")
        return
    started = time.monotonic()
    run_id = make_run_id()
    answer = _dispatch(deployment, run_id)
    if wait:
        _follow(invocation, run_id, names, timeout, started)
    elif invocation.json:
        write_json(answer)
    else:
        # A large table is sent by several functions, and then dispatch does not know the number.
        say(f"Run {run_id} started for {companies_counted(answer.get('companies', len(names)))}.")
        hint("See what it found: nlp observations (or follow it next time: nlp run --wait)")


def make_run_id(now: datetime | None = None) -> str:
    """Make a run's id: its start in UTC, by which runs sort, and 8 random hexadecimal digits."""
    return f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _dispatch(deployment: Deployment, run_id: str) -> dict[str, Any]:
    """Invoke dispatch and wait for its answer, which comes when all messages are sent or handed over."""
    import msgspec

    from cli.ui.json_input import decode_json

    function = deployment.output("dispatch_function")
    answer = deployment.client("lambda").invoke(
        FunctionName=function, InvocationType="RequestResponse", Payload=msgspec.json.encode({"run": run_id})
    )
    payload = answer["Payload"].read()
    try:
        content = decode_json(payload or b"null")
    except msgspec.DecodeError:
        content = payload.decode("utf-8", "replace")
    if answer.get("FunctionError"):
        raise CliError(
            f"The function {function} failed: {_function_error(content)}. "
            f"Its log tells more: aws logs tail /aws/lambda/{function} --since 10m"
        )
    if not isinstance(content, dict) or content.get("run") != run_id:
        raise CliError(
            f"The function {function} gave an unexpected answer, {content!r}: "
            "deploy again, so that the function and this command are of the same version."
        )
    return content


def _function_error(content: object) -> str:
    if not isinstance(content, dict):
        return str(content)
    kind, message = content.get("errorType"), content.get("errorMessage") or "no message"
    return str(message if kind is None else f"{kind}: {message}").rstrip(".")


def _follow(invocation: Invocation, run_id: str, names: list[str], timeout: timedelta, started: float) -> None:
    from cli.aws.follow import RunFollower

    follower = RunFollower(invocation.deployment, run_id, names)
    try:
        with progress(f"Run {run_id}", len(names), always=True) as observed:
            outcome = follower.follow(timeout, observed)
    except KeyboardInterrupt:
        hint(f"Stopped following; run {run_id} goes on. See what it found: nlp observations")
        raise
    _report(invocation, run_id, len(names), outcome, time.monotonic() - started)
    if outcome.timed_out:
        raise CliError(
            f"Time is up and {len(outcome.pending):,} of {companies_counted(len(names))} not yet observed; "
            "the run goes on: see `nlp observations` later, or give a longer --timeout."
        )
    if outcome.pending:
        raise CliError(
            f"{companies_counted(len(outcome.pending))} failed: {_some(outcome.pending)}. "
            "See why: nlp dead-letters list",
            EXIT_COMPANIES_FAILED,
        )


def _report(invocation: Invocation, run_id: str, total: int, outcome: Outcome, seconds: float) -> None:
    if invocation.json:
        write_json(
            {
                "run": run_id,
                "companies": total,
                "observed": outcome.labels.total(),
                "labels": dict(outcome.labels.most_common()),
                "timed_out": outcome.timed_out,
                "pending": outcome.pending,
                "seconds": round(seconds, 3),
            }
        )
        return
    from cli.commands.observations import label_style

    rows = [[label, f"{count:,}"] for label, count in outcome.labels.most_common()]
    if rows:
        write_table(["label", "companies"], rows, label_style, right=["companies"])
    observed = f"{outcome.labels.total():,} of {companies_counted(total)}"
    say(f"Run {run_id}: {observed} in {spoken_duration(seconds)}.")


def _some(names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:FAILED_NAMED])
    more = len(names) - FAILED_NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown
