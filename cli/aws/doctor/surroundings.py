"""What checks look at: a stack's settings, and clients of the AWS account that it goes to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from cli.aws.deployment import Deployment
from cli.aws.stack_settings import StackSettings

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 15


class Surroundings:
    """A stack's settings, and the account.

    Parameters
    ----------
    settings : StackSettings
        Settings of the stack.
    make_client : callable
        ``make_client(service, region)`` makes a boto3 client.
    """

    def __init__(self, settings: StackSettings, make_client: Callable[[str, str], Any]) -> None:
        self.settings = settings
        self._make_client = make_client
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        # What STS says of the caller, once it is known.
        self.account = ""
        self.caller_arn = ""

    def client(self, service: str, region: str = "") -> Any:
        """Return the client of a service, made once; in the stack's region unless another one is named."""
        place = (service, region or self.settings.region)
        with self._lock:
            if place not in self._clients:
                self._clients[place] = self._make_client(*place)
            return self._clients[place]


def on_aws(service: str, region: str) -> Any:
    """Make a client of AWS with the usual chain of credentials."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    return boto3.client(
        service,  # pyright: ignore[reportArgumentType, reportCallIssue]
        region_name=region or None,
        config=config,
    )


def on_deployment(deployment: Deployment) -> Callable[[str, str], Any]:
    """Make the clients of a deployment on the embedded AWS, which has one region."""
    return lambda service, _region: deployment.client(service)
