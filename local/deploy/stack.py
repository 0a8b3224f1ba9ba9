"""The embedded AWS with the program deployed to it, and the file by which other tools find it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from local.aws.embedded_aws import EmbeddedAws
from local.deploy.deployer import ROOT, Deployment, Resource, deploy
from schema import local_stack
from schema.wikipedia import REQUESTS_AT_ONCE, REQUESTS_PER_MINUTE, is_wikipedia

# Settings for the real Wikipedia in place of those for the texts of this machine; a turn may take a while.
WIKIPEDIA = {
    "text_requests_per_minute": REQUESTS_PER_MINUTE,
    "analyse_concurrency": REQUESTS_AT_ONCE,
    "analyse_timeout_seconds": 120,
}

STATE_FILE = Path(os.environ.get(local_stack.STATE_VARIABLE) or ROOT / local_stack.STATE_FILE)


class StackError(RuntimeError):
    """The local stack cannot be started; the message says what to do."""


@dataclass(frozen=True)
class LocalStack:
    """A product that is deployed on this machine.

    Attributes
    ----------
    aws
        The embedded AWS.
    deployment
        Resources and outputs there.
    """

    aws: EmbeddedAws
    deployment: Deployment

    @property
    def outputs(self) -> dict[str, Any]:
        """The program's exports."""
        return self.deployment.outputs


def deploy_to(
    aws: EmbeddedAws,
    overrides: dict[str, Any] | None = None,
    on_resource: Callable[[Resource], None] = lambda _: None,
) -> LocalStack:
    """Deploy the program to an embedded AWS that is running.

    Parameters
    ----------
    aws
        The embedded AWS.
    overrides
        Settings that differ from `Pulumi.local.yaml`, by group.
    on_resource
        Called with each resource after its creation.

    Raises
    ------
    DeployError
        A resource could not be made.
    """
    settings = dict(overrides or {})
    source = {"text_source_url": aws.text_source_url}
    if is_wikipedia(aws.text_source_url):
        source |= WIKIPEDIA
    settings["sentiment"] = {**source, **settings.get("sentiment", {})}

    def client(service: str) -> Any:
        return aws.client(service, attempts=1)  # a creation that only answered slowly would fail when repeated

    return LocalStack(aws, deploy(client, aws.region, settings, on_resource))


class Account(Protocol):
    """A user's account.

    Attributes
    ----------
    email, password
        Credentials of the sign-in.
    """

    email: str
    password: str


@contextmanager
def findable(
    aws: EmbeddedAws, outputs: dict[str, Any] | None, user: Account | None = None, file: Path = STATE_FILE
) -> Iterator[Path]:
    """Let other tools find the embedded AWS while the context lasts.

    Parameters
    ----------
    aws
        The embedded AWS.
    outputs
        The program's exports; None if it is not deployed.
    user
        Account with which `nlp` signs in.
    file
        File that the tools read.

    Raises
    ------
    StackError
        The file belongs to another local stack that is running.
    """
    refuse_second(file)
    file.parent.mkdir(exist_ok=True)
    state = {
        "endpoint": aws.endpoint,
        "control": aws.control_url,
        "region": aws.region,
        "pid": os.getpid(),
        "credentials": aws.credentials,
        "outputs": outputs,
        "user": {"email": user.email, "password": user.password} if user else None,
    }
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(state, indent=2))
    unfinished.replace(file)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def refuse_second(file: Path = STATE_FILE) -> None:
    """Check that no other local stack is running.

    Raises
    ------
    StackError
        There is one.
    """
    if file.exists() and _is_running(file):
        raise StackError(f"A local stack is running already (see {file}). Stop it, or use it.")


def _is_running(file: Path) -> bool:
    try:
        os.kill(json.loads(file.read_text())["pid"], 0)
    except (OSError, ValueError, KeyError):
        return False
    return True
