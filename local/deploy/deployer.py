"""Deployment of the project's program, stack `local`, to the embedded AWS, without Pulumi's engine."""

from __future__ import annotations

import json
import re
import runpy
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import rpc
from pulumi.runtime.stack import Stack

from local.deploy.creators import CREATORS, Context
from local.deploy.event_loop import event_loops

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "cloud-nlp"
STACK = "local"
# Some types allow neither capitals nor underscores in physical names, so no name has any.
_NOT_IN_NAMES = re.compile(r"[^a-z0-9-]+")


class DeployError(Exception):
    """The deployment failed; the message names the resource and has AWS's error, or is the program's own."""


@dataclass(frozen=True)
class Resource:
    """A resource that was made.

    Attributes
    ----------
    type, name
        Pulumi's type, such as `aws:sqs/queue:Queue`, and the logical name.
    id
        Pulumi's id, such as a queue's URL.
    seconds
        Time that its creation took.
    """

    type: str
    name: str
    id: str
    seconds: float


@dataclass
class Deployment:
    """Result of a deployment.

    Attributes
    ----------
    resources
        Resources in the order of their creation.
    outputs
        The program's exports.
    """

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)


class _EmbeddedProvider(pulumi.runtime.Mocks):
    """Replaces Pulumi's engine and provider: makes resources where mocks would only pretend to."""

    def __init__(self, client: Callable[[str], Any], on_resource: Callable[[Resource], None]) -> None:
        self.deployment = Deployment()
        self._client = client
        self._on_resource = on_resource

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return None, args.inputs
        creator = CREATORS.get(args.typ)
        if creator is None:
            raise DeployError(
                f"{args.name}: the embedded AWS cannot make resources of type {args.typ}; add a creator in "
                "local/deploy/creators"
            )
        started = time.perf_counter()
        try:
            unique = f"{_NOT_IN_NAMES.sub('-', args.name.lower()).strip('-')}-{secrets.token_hex(4)[:7]}"
            identity, outputs = creator(Context(self._client, unique), _without_secrecy(args.inputs))
        except (ClientError, BotoCoreError) as error:
            raise DeployError(f"{args.name} ({args.typ}): {error}") from error
        except (KeyError, TypeError) as error:
            raise DeployError(f"{args.name} ({args.typ}): inputs not understood: {error!r}") from error
        made = Resource(args.typ, args.name, identity, time.perf_counter() - started)
        self.deployment.resources.append(made)
        self._on_resource(made)
        return identity, {**args.inputs, **outputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise DeployError(f"The program asks AWS for {args.token}; the embedded AWS does not answer that")


def _without_secrecy(inputs: dict[str, Any]) -> dict[str, Any]:
    """Take secret inputs out of what marks them as such."""
    return {name: rpc.unwrap_rpc_secret(value) if rpc.is_rpc_secret(value) else value for name, value in inputs.items()}


def deploy(
    client: Callable[[str], Any],
    region: str,
    overrides: dict[str, Any] | None = None,
    on_resource: Callable[[Resource], None] = lambda _: None,
    program: Path = ROOT / "__main__.py",
) -> Deployment:
    """Run the program for stack `local` against the embedded AWS.

    Parameters
    ----------
    client
        Returns the boto3 client of a service by its name.
    region
        Region of the embedded AWS.
    overrides
        Settings that differ from `Pulumi.local.yaml`, by group, such as `{"sentiment": {"retry_seconds": 0}}`, or by
        name where they have no group.
    on_resource
        Called with each resource after its creation.
    program
        File of the program.

    Raises
    ------
    DeployError
        A resource could not be made, or the program ended with an error message of its own (`pulumi.RunError`), for
        instance about settings.
    """
    provider = _EmbeddedProvider(client, on_resource)
    try:
        _run(provider, program, {**read_config(overrides or {}), "aws:region": region})
    except (OSError, yaml.YAMLError) as error:
        raise DeployError(f"The settings of stack {STACK} cannot be read: {error}") from error
    except pulumi.RunError as error:
        raise DeployError(str(error)) from error
    return provider.deployment


def _run(provider: _EmbeddedProvider, program: Path, config: dict[str, str]) -> None:
    @pulumi.runtime.test
    def run() -> Any:
        stack = pulumi.runtime.get_root_resource()
        assert isinstance(stack, Stack)  # noqa: S101 - set_mocks has just made it
        stack.outputs.clear()  # of an earlier deployment in this process
        runpy.run_path(str(program), run_name="__main__")
        return pulumi.Output.all(**stack.outputs).apply(provider.deployment.outputs.update)

    with event_loops():
        pulumi.runtime.set_mocks(provider, project=PROJECT, stack=STACK)
        pulumi.runtime.set_all_config(config)
        run()


def read_config(overrides: dict[str, Any], file: Path = ROOT / "Pulumi.local.yaml") -> dict[str, str]:
    """Read a stack's settings in the form in which Pulumi passes them to a program, with some of them changed.

    Parameters
    ----------
    overrides
        Settings by group.
    file
        Settings file of the stack.
    """
    config: dict[str, Any] = yaml.safe_load(file.read_text())["config"]
    for group, values in overrides.items():
        key = f"{PROJECT}:{group}"
        config[key] = {**config.get(key, {}), **values} if isinstance(values, dict) else values
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
