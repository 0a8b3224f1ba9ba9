"""Finding a deployment, and boto3 clients for it."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cli.errors import CliError

if TYPE_CHECKING:
    from botocore.config import Config

PROJECT_ROOT = Path(__file__).resolve().parents[2]
LOCAL = "local"
STATE_FILE = PROJECT_ROOT / ".local" / "state.json"
STATE_VARIABLE = "NLP_STATE"
OUTPUTS_VARIABLE = "NLP_OUTPUTS"

# Threads that call AWS at the same time; a client keeps as many connections.
WORKERS = 8
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
# Lambda ends a function after 15 minutes at the latest; a shorter limit would start the function twice.
INVOKE_TIMEOUT_S = 15 * 60 + 10
PROBE_TIMEOUT_S = 2


class Deployment:
    """A running deployment: the names of its resources and clients that reach it.

    Parameters
    ----------
    stack : str
        The stack's name.
    outputs : dict
        The exports of the Pulumi program.
    endpoint : str, optional
        URL of the embedded AWS; None for AWS.
    credentials : dict, optional
        ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``; None for AWS's usual chain of credentials.
    user : dict, optional
        ``email`` and ``password`` of whom the embedded AWS has an account for.
    """

    def __init__(
        self,
        stack: str,
        outputs: dict[str, Any],
        endpoint: str | None = None,
        credentials: dict[str, str] | None = None,
        user: dict[str, str] | None = None,
    ):
        self.stack = stack
        self.endpoint = endpoint
        self.user = user
        self._outputs = outputs
        self._credentials = credentials or {}
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def is_local(self) -> bool:
        """Whether this is the embedded AWS, whose queue counters are exact."""
        return self.endpoint is not None

    def output(self, key: str) -> str:
        """Return an export of the Pulumi program.

        Raises
        ------
        CliError
            When the deployment has no such export.
        """
        value = self.optional_output(key)
        if not value:
            deploy = "run `make serve` again" if self.is_local else f"run `nlp --stack {self.stack} deploy`"
            raise CliError(f"The deployment of stack {self.stack!r} has no output {key!r}: {deploy}.")
        return value

    def optional_output(self, key: str) -> str:
        """Return an export of the Pulumi program; empty when the deployment has no such export."""
        value = self._outputs.get(key)
        return value if isinstance(value, str) else ""

    def command(self, arguments: str) -> str:
        """Spell a call of this command on this deployment, to be shown to the user."""
        return f"nlp {arguments}" if self.is_local else f"nlp --stack {self.stack} {arguments}"

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, made at its first use and shared by all threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service)
            return self._clients[service]

    def public_client(self, service: str) -> Any:
        """Make the boto3 client of a service for operations that need no AWS credentials."""
        import boto3
        import botocore

        # What users type is checked by the service, which says what is wrong in its own words.
        config = _client_config(READ_TIMEOUT_S, signature_version=botocore.UNSIGNED, parameter_validation=False)
        return boto3.client(
            service,  # pyright: ignore[reportArgumentType, reportCallIssue]
            region_name=self.output("region"),
            endpoint_url=self.endpoint,
            config=config,
        )

    def _make_client(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service,  # pyright: ignore[reportArgumentType, reportCallIssue]
            region_name=self.output("region"),
            endpoint_url=self.endpoint,
            aws_access_key_id=self._credentials.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=self._credentials.get("AWS_SECRET_ACCESS_KEY"),
            config=_client_config(INVOKE_TIMEOUT_S if service == "lambda" else READ_TIMEOUT_S),
        )


def _client_config(read_timeout: int, **settings: Any) -> Config:
    from botocore.config import Config

    return Config(
        **settings,
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": 5},
        max_pool_connections=WORKERS,
        tcp_keepalive=True,
    )


def find_deployment(stack: str | None) -> Deployment:
    """Find the deployment of a stack.

    Parameters
    ----------
    stack : str or None
        The stack's name. None: the outputs file that NLP_OUTPUTS names, otherwise the local deployment.

    Raises
    ------
    CliError
        When there is none, saying how to get one.
    """
    outputs_file = os.environ.get(OUTPUTS_VARIABLE)
    if stack == LOCAL or (stack is None and not outputs_file):
        return _find_local()
    if outputs_file:
        return Deployment(stack or Path(outputs_file).stem, _read_json(Path(outputs_file), OUTPUTS_VARIABLE))
    from cli.aws.pulumi_stack import read_outputs

    assert stack is not None  # noqa: S101 - a stack without a name is the local one, found above
    return Deployment(stack, read_outputs(stack))


def _find_local() -> Deployment:
    path = Path(os.environ.get(STATE_VARIABLE) or STATE_FILE)
    if not path.exists():
        raise CliError(
            "No local deployment is running: run `make serve` in another terminal, "
            "or choose a deployed stack with --stack NAME."
        )
    state = _read_json(path, STATE_VARIABLE)
    endpoint, outputs = state.get("endpoint"), state.get("outputs")
    if outputs is None and (outputs_file := os.environ.get(OUTPUTS_VARIABLE)):  # Pulumi deployed, not `make serve`
        outputs = _read_json(Path(outputs_file), OUTPUTS_VARIABLE)
    if not isinstance(endpoint, str) or not isinstance(outputs, dict):
        raise CliError(f"{path} does not describe a local deployment: run `make serve` again.")
    if not _answers(endpoint):
        raise CliError(
            f"The local deployment at {endpoint} does not answer any more: run `make serve` in another terminal."
        )
    return Deployment(
        LOCAL, {"region": state.get("region"), **outputs}, endpoint, state.get("credentials"), state.get("user")
    )


def _answers(endpoint: str) -> bool:
    try:
        address = urlsplit(endpoint)
        with socket.create_connection((address.hostname or "", address.port or 80), PROBE_TIMEOUT_S):
            return True
    except (OSError, ValueError):
        return False


def _read_json(path: Path, variable: str) -> dict[str, Any]:
    import msgspec

    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise CliError(f"Cannot read {path} ({variable}): {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CliError(
            f"{path} ({variable}) is not a JSON object: {error}. "
            "Make it with `pulumi stack output --json`, or remove the variable."
        ) from None
