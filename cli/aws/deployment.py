"""A deployment: the outputs of its stack, and boto3 clients that reach it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from cli.ui.errors import CliError

if TYPE_CHECKING:
    from botocore.config import Config

# Threads that call AWS at the same time; a client keeps as many connections.
WORKERS = 8
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
# Lambda ends a function after 15 minutes at the latest; a shorter limit would start the function twice.
INVOKE_TIMEOUT_S = 15 * 60 + 10


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
