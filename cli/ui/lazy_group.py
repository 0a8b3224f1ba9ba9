"""A group of commands whose modules are imported when a command is run, not when it is listed."""

from __future__ import annotations

from importlib import import_module

import click


class LazyCommand(click.Command):
    """Stands for a command in lists and completions until it is needed.

    Parameters
    ----------
    name : str
        The command's name.
    place : str
        Where the command is, as ``module:attribute``.
    summary : str
        The first sentence of its help.
    hidden : bool
        Whether lists and completions leave it out.
    """

    def __init__(self, name: str, place: str, summary: str, *, hidden: bool = False):
        super().__init__(name, help=summary, hidden=hidden)
        self._place = place

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self._place.partition(":")
        return getattr(import_module(module), attribute)


class LazyGroup(click.Group):
    """A group that may have lazy commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest
