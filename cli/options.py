"""Options that every command accepts, before or after the name of the subcommand."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.environment import LOCAL, PROJECT_ROOT

if TYPE_CHECKING:
    from cli.api.client import Api
    from cli.aws.deployment import Deployment

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Invocation:
    """What the global options of this call say.

    Attributes
    ----------
    chosen_stack : str or None
        The stack that the user chose by --stack or NLP_STACK.
    json : bool
        Whether stdout is for a program.
    """

    def __init__(self) -> None:
        self.chosen_stack: str | None = None
        self.json = False

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.chosen_stack or LOCAL

    @cached_property
    def deployment(self) -> Deployment:
        """The deployment that the command works on, found at first use."""
        from cli.aws.finding import find_deployment

        return find_deployment(self.chosen_stack)

    def command(self, arguments: str) -> str:
        """Spell a call of this command on the same deployment, to be shown to the user."""
        return self.deployment.command(arguments)

    @cached_property
    def api(self) -> Api:
        """The deployment's HTTP API, used by whoever is signed in."""
        return self.open_api()

    def open_api(self, sleep: Callable[[float], None] = time.sleep) -> Api:
        """Open the deployment's HTTP API for the rest of this call.

        Parameters
        ----------
        sleep : callable
            Waits a number of seconds, before a request is repeated.
        """
        from cli.api.client import Api

        api = Api(self.deployment, sleep)
        click.get_current_context().find_root().call_on_close(api.close)
        return api


def _set_stack(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        context.ensure_object(Invocation).chosen_stack = value


def _set_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Invocation).json = True


def _complete_stack(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    stacks = (path.name.split(".")[1] for path in PROJECT_ROOT.glob("Pulumi.*.yaml"))
    return sorted(stack for stack in stacks if stack.startswith(incomplete))


def global_options(environment: bool = False) -> Callable[[Decorated], Decorated]:
    """Add --stack and --json to a command; the last one given wins.

    Parameters
    ----------
    environment : bool
        Also read NLP_STACK. Only for the outermost command: an inner one would override --stack before it.
    """

    def decorate(command: Decorated) -> Decorated:
        stack = click.option(
            "--stack",
            metavar="NAME",
            expose_value=False,
            callback=_set_stack,
            shell_complete=_complete_stack,
            envvar="NLP_STACK" if environment else None,
            help="Deployment to work on (default: NLP_STACK, else local).",
        )
        json = click.option(
            "--json",
            "json_output",
            is_flag=True,
            expose_value=False,
            callback=_set_json,
            help="Print JSON on stdout, and nothing else there.",
        )
        return stack(json(command))

    return decorate


def project_option(command: Decorated) -> Decorated:
    """Add -p to a command, the project that it works in."""
    return click.option(
        "-p",
        "--project",
        required=True,
        metavar="PROJECT",
        envvar="NLP_PROJECT",
        help="The project: its id, or its name where only one has it (default: NLP_PROJECT).",
    )(command)


def limit_option(command: Decorated) -> Decorated:
    """Add --limit to a command that lists."""
    return click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show at most N.")(command)


def examples(*lines: str) -> str:
    """Make the end of a help page: example calls, one a line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
