"""Stacks on the real Pulumi engine: state in files, the recording provider, and the program in this process."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation
from pulumi.automation import events

from tests.engine.project import Project
from tests.engine.provider.account import Account, Recording, Request, kind_of
from tests.engine.provider.server import RECORDING_VARIABLE

PROJECT_NAME = "cloud-nlp"
# Steps after which a resource is as it was.
_UNCHANGED = {"same", "read", "refresh"}
_START_OF_PROVIDER = """#!{python}
import sys

sys.path[:0] = [{root!r}]
from tests.engine.provider.server import serve

serve()
"""
# Parts of names that are made of contents: file names of packages, hashes.
_WHEEL = re.compile(r"[^/]+\.whl$")
_COLOUR = re.compile(r"<\{%.*?%\}>")
_HASH = re.compile(r"\b[0-9a-f]{16}\b")


class EngineError(Exception):
    """The engine failed; the message has its errors."""


@dataclass
class Outcome:
    """What the engine did.

    Attributes
    ----------
    steps
        For each step that was no "same": operation, last part of the type, and logical name, in which `<hash>` and
        `*.whl` stand for what contents give.
    urns
        Operation and URN of the same steps.
    requests
        What the provider was asked.
    errors
        What the engine, the program or the provider said of a failure.
    """

    steps: list[str] = field(default_factory=list)
    urns: list[tuple[str, str]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def changes(self) -> set[str]:
        """The steps, once each."""
        return set(self.steps)

    def record(self, event: events.EngineEvent) -> None:
        """Take a step, or an error, from an event of the engine."""
        if event.diagnostic_event and event.diagnostic_event.severity == "error":
            self.errors.append(_COLOUR.sub("", event.diagnostic_event.message).strip())
        metadata = event.resource_pre_event.metadata if event.resource_pre_event else None
        if metadata is None or metadata.op in _UNCHANGED or metadata.type.startswith("pulumi:"):
            return
        self.urns.append((str(metadata.op.value), metadata.urn))
        self.steps.append(f"{metadata.op.value} {described(metadata.urn)}")


def described(urn: str) -> str:
    """Last part of the type, and the logical name without what contents give it."""
    name = _HASH.sub("<hash>", _WHEEL.sub("*.whl", urn.split("::", 3)[-1]))
    return f"{kind_of(urn).rpartition(':')[2]} {name}"


@dataclass(frozen=True)
class Engine:
    """The command-line tool with the provider beside it, and a state in files that is empty at first.

    Attributes
    ----------
    tool
        Folder with `bin/pulumi` and `bin/pulumi-resource-aws`.
    home
        Folder for everything that Pulumi keeps.
    """

    tool: Path
    home: Path

    @classmethod
    def install(cls, pulumi: Path, folder: Path) -> Engine:
        """Put the tool and the provider beside each other."""
        engine = cls(folder / "tool", folder / "home")
        binaries = engine.tool / "bin"
        binaries.mkdir(parents=True)
        (engine.home / "state").mkdir(parents=True)
        (binaries / "pulumi").symlink_to(pulumi)
        provider = binaries / "pulumi-resource-aws"
        root = Path(__file__).resolve().parents[2]
        provider.write_text(_START_OF_PROVIDER.format(python=sys.executable, root=str(root)))
        provider.chmod(0o755)
        return engine

    def variables(self, recording: Path) -> dict[str, str]:
        """Environment of the tool and of the provider."""
        return {
            "PULUMI_BACKEND_URL": f"file://{self.home / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "engine-tests",
            "PULUMI_HOME": str(self.home),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            # Otherwise the engine writes the whole state after each step, which takes three times as long.
            "PULUMI_EXPERIMENTAL": "true",
            "PULUMI_SKIP_CHECKPOINTS": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            RECORDING_VARIABLE: str(recording),
        }

    def stack(self, name: str, settings: str, project: Project, program: Callable[[], None] | None = None) -> Stack:
        """Open a stack, which is made where it is not there yet.

        Parameters
        ----------
        name
            The stack's name.
        settings
            Stack whose settings it has, such as `dev`.
        project
            Copy of the project that is run.
        program
            Run in its place.
        """
        recording = self.home / f"{name}.jsonl"
        workspace = project.folder / ".engine"
        workspace.mkdir(exist_ok=True)
        handle = automation.create_or_select_stack(
            name,
            project_name=PROJECT_NAME,
            program=program or project.run,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(workspace),
                pulumi_home=str(self.home),
                env_vars=self.variables(recording),
                pulumi_command=automation.PulumiCommand(str(self.tool)),
            ),
        )
        given = yaml.safe_load((project.folder / f"Pulumi.{settings}.yaml").read_text())["config"]
        settings_file = workspace / f"Pulumi.{name}.yaml"
        salt = yaml.safe_load(settings_file.read_text()) if settings_file.exists() else {}
        settings_file.write_text(yaml.safe_dump({**(salt or {}), "config": given}))
        return Stack(handle, Recording(recording))


@dataclass(frozen=True)
class Stack:
    """A stack, run by the program of one copy of the project."""

    handle: automation.Stack
    recording: Recording

    def preview(self) -> Outcome:
        """Ask what `up` would do."""
        return self._observed(self.handle.preview)

    def up(self) -> Outcome:
        """Deploy.

        Raises
        ------
        EngineError
            The deployment failed, which all operations may.
        """
        return self._observed(self.handle.up)

    def refresh(self) -> Outcome:
        """Compare the state with what exists."""
        return self._observed(self.handle.refresh)

    def destroy(self) -> Outcome:
        """Remove everything."""
        return self._observed(self.handle.destroy)

    def _observed(self, operation: Callable[..., Any]) -> Outcome:
        before = len(self.recording.requests())
        outcome = Outcome()
        try:
            operation(on_event=outcome.record)
        except automation.CommandError as error:
            raise EngineError("\n".join(outcome.errors) or str(error)) from None
        outcome.requests = self.recording.requests()[before:]
        return outcome

    def state(self) -> list[dict[str, Any]]:
        """Resources in the state."""
        return self.deployment().get("resources") or []

    def deployment(self) -> dict[str, Any]:
        """The state, as it is exported."""
        return dict(self.handle.export_stack().deployment or {})

    def restore(self, deployment: dict[str, Any]) -> None:
        """Take over a state, and have exist on AWS what it says."""
        self.handle.import_stack(automation.Deployment(3, deployment))
        made = [one for one in deployment["resources"] if one["custom"] and not one["type"].startswith("pulumi:")]
        self.recording.add(*(Request("Create", one["urn"], one["id"], inputs=one["inputs"]) for one in made))

    def account(self) -> Account:
        """What exists on AWS now."""
        return Account(self.recording)
