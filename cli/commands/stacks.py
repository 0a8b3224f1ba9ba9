"""`nlp deploy`, `nlp preview` and `nlp teardown`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cli.environment import LOCAL, PROJECT_ROOT
from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, say, write_json_line
from cli.ui.text import counted, spoken_duration

if TYPE_CHECKING:
    from pulumi.automation import Stack

    from cli.aws.operation_log import OperationLog

PAST_TENSE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "same": "unchanged",
}

refresh_option = click.option("--refresh", is_flag=True, help="First read what really is on AWS.")


@click.command(epilog=examples("nlp --stack dev deploy", "nlp deploy --stack prod --refresh"))
@refresh_option
@global_options()
@click.pass_obj
def deploy(invocation: Invocation, refresh: bool) -> None:
    """Deploy a stack to AWS with Pulumi, making it when it is new."""
    from cli.commands.account_steps import limit_logs, surroundings_of, warn_of_limits

    name = _settled_stack(invocation)
    around = surroundings_of(name)
    started = time.monotonic()
    with _operation(invocation, "Deploying") as log:
        stack = _open_stack(name)
        warn_of_limits(around)
        result = stack.up(on_event=log.record, refresh=refresh, show_secrets=False)
    limit_logs(around, ask=not invocation.json)
    _report(invocation, "deployed", result.summary.resource_changes, started)
    if not invocation.json:
        hint(f"Next: nlp --stack {name} users add EMAIL --role editor, then nlp --stack {name} login")
        hint(f"Then: nlp --stack {name} companies add -i NAME, and nlp --stack {name} run --wait")


@click.command(epilog=examples("nlp --stack dev preview", "nlp preview --stack dev --json"))
@refresh_option
@global_options()
@click.pass_obj
def preview(invocation: Invocation, refresh: bool) -> None:
    """Show what `nlp deploy` would change, changing nothing on AWS."""
    name = _settled_stack(invocation)
    started = time.monotonic()
    with _operation(invocation, "Previewing", preview=True) as log:
        result = _open_stack(name).preview(on_event=log.record, refresh=refresh)
    _report(invocation, "previewed", result.change_summary, started)


@click.command(epilog=examples("nlp --stack dev teardown", "nlp teardown --stack dev --yes"))
@click.option("--yes", "-y", is_flag=True, help="Ask nothing.")
@click.option(
    "--remove/--no-remove",
    default=True,
    show_default=True,
    help="Also remove the stack with its history from Pulumi. Its settings file (Pulumi.NAME.yaml) stays.",
)
@global_options()
@click.pass_obj
def teardown(invocation: Invocation, yes: bool, remove: bool) -> None:
    """Remove everything that a stack has on AWS. Nothing is removed while a resource is protected."""
    name = _aws_stack(invocation)
    from pulumi import automation

    from cli.aws.pulumi_stack import open_workspace, pulumi_errors

    with pulumi_errors(name):
        workspace = open_workspace()
        stack = automation.Stack.select(name, workspace)
        _refuse_protected(stack)
    if not yes:
        _confirm(name)
    started = time.monotonic()
    with _operation(invocation, "Tearing down") as log:
        result = stack.destroy(on_event=log.record, show_secrets=False)
        if remove:
            workspace.remove_stack(name, preserve_config=True)
    _report(invocation, "removed" if remove else "emptied", result.summary.resource_changes, started)


def _settled_stack(invocation: Invocation) -> str:
    """Return the name of a stack that has settings: a mistyped name must not become a new stack."""
    name = _aws_stack(invocation)
    known = sorted(path.name.split(".")[1] for path in PROJECT_ROOT.glob("Pulumi.*.yaml"))
    if name not in known:
        raise CliError(
            f"There is no Pulumi.{name}.yaml. Make one (cp Pulumi.dev.yaml Pulumi.{name}.yaml), "
            f"or choose one of: {', '.join(stack for stack in known if stack != LOCAL)}."
        )
    return name


def _aws_stack(invocation: Invocation) -> str:
    if invocation.stack == LOCAL:
        raise CliError(
            "Stack 'local' is the embedded AWS on this machine: `make demo` or `make serve` deploys it, "
            "and it is gone when they end. `pulumi up -s local` deploys to a running one. "
            "For AWS choose another stack: --stack dev."
        )
    return invocation.stack


def _open_stack(name: str) -> Stack:
    from pulumi import automation

    from cli.aws.pulumi_stack import open_workspace

    return automation.Stack.create_or_select(name, open_workspace())


def _refuse_protected(stack: Stack) -> None:
    from cli.aws.pulumi_stack import protected_resources

    protected = protected_resources(stack.workspace, stack.name)
    if protected:
        raise CliError(
            f"Stack {stack.name!r} has {counted(len(protected), 'protected resource')}: "
            f"{', '.join(protected)}. Nothing was removed. "
            f"Switch the protection off in Pulumi.{stack.name}.yaml, "
            f"run `nlp --stack {stack.name} deploy`, and tear down again."
        )


def _confirm(name: str) -> None:
    try:
        answer = click.prompt(f"Everything of stack {name} is removed from AWS. Type its name to go on", err=True)
    except click.Abort:
        raise CliError("Nothing was removed: no answer. Use --yes to be asked nothing.") from None
    if answer.strip() != name:
        raise CliError(f"Nothing was removed: {answer!r} is not the stack's name, {name!r}.")


@contextmanager
def _operation(invocation: Invocation, title: str, *, preview: bool = False) -> Iterator[OperationLog]:
    """Write what Pulumi does meanwhile; a failure names what failed."""
    from cli.aws.operation_log import OperationLog
    from cli.aws.pulumi_stack import PulumiError, pulumi_errors

    hint(f"{title} stack {invocation.stack} ...")
    log = OperationLog(json=invocation.json, preview=preview)
    try:
        with pulumi_errors(invocation.stack):
            yield log
    except PulumiError:
        raise
    except CliError as error:
        # What the engine said of a resource is more to the point than the last line of the tool.
        raise (_failure(log) or error) from None


def _failure(log: OperationLog) -> CliError | None:
    if log.failed:
        reason = f": {log.errors[0]}" if log.errors else ""
        return CliError(
            f"{counted(len(log.failed), 'resource')} failed ({', '.join(log.failed)}){reason}. "
            "What was done stays; correct the cause and run the command again."
        )
    return CliError(f"Pulumi failed: {log.errors[0]}") if log.errors else None


def _report(invocation: Invocation, what: str, changes: Mapping[Any, int] | None, started: float) -> None:
    seconds = time.monotonic() - started
    # Keys are OpType or plain text, depending on which event they come from.
    numbers = {str(getattr(key, "value", key)): count for key, count in (changes or {}).items()}
    if invocation.json:
        write_json_line(
            {
                "event": "summary",
                "stack": invocation.stack,
                "result": what,
                "changes": numbers,
                "seconds": round(seconds, 3),
            }
        )
        return
    shown = ", ".join(f"{count:,} {PAST_TENSE.get(key, key)}" for key, count in numbers.items())
    if what == "previewed":
        shown = ", ".join(f"{count:,} to {key}" for key, count in numbers.items() if key != "same")
    say(f"Stack {invocation.stack} {what}: {shown or 'no changes'}, in {spoken_duration(seconds)}.")
