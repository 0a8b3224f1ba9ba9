"""Questions to whoever signs in: asked in the terminal, or answered by the lines of stdin."""

from __future__ import annotations

import sys
import warnings
from getpass import GetPassWarning
from typing import Protocol

import click

from cli.ui.errors import CliError
from cli.ui.output import hint


class Questions(Protocol):
    """Asks whoever signs in.

    Attributes
    ----------
    repeats : bool
        Whether it makes sense to ask again after a wrong answer.
    """

    repeats: bool

    def text(self, prompt: str) -> str:
        """Ask for a text."""
        ...

    def secret(self, prompt: str, *, new: bool = False) -> str:
        """Ask for a text that is not shown; a new one twice."""
        ...


class TerminalQuestions:
    """Asks in the terminal."""

    repeats = True

    def text(self, prompt: str) -> str:
        """Ask for a text."""
        return self._asked(prompt).strip()

    def secret(self, prompt: str, *, new: bool = False) -> str:
        """Ask for a text that is not shown; a new one twice."""
        return self._asked(prompt, hidden=True, twice=new)

    def _asked(self, prompt: str, *, hidden: bool = False, twice: bool = False) -> str:
        try:
            # Without a terminal that hides it, nothing is asked for.
            with warnings.catch_warnings(action="error", category=GetPassWarning):
                return click.prompt(prompt, hide_input=hidden, confirmation_prompt=twice, err=True)
        except (click.Abort, GetPassWarning):
            hint("")  # the cursor is still behind the question
            raise CliError(
                "Not signed in: there was no answer. Without a terminal, give --email and --password-stdin."
            ) from None


class StdinQuestions:
    """Takes each answer from the next line of stdin."""

    repeats = False

    def text(self, prompt: str) -> str:
        """Take the next line."""
        return self._line(prompt).strip()

    def secret(self, prompt: str, *, new: bool = False) -> str:  # noqa: ARG002 - a line needs no second one
        """Take the next line."""
        return self._line(prompt)

    def _line(self, prompt: str) -> str:
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            raise CliError("What comes on stdin is not UTF-8 text.") from None
        answer = line.rstrip("\r\n")
        if not answer:
            raise CliError(f"Signing in asks for this, and stdin has no line for it: {prompt}.")
        return answer
