"""AWS clients as every function needs them: with time limits, retries and room for concurrent calls."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

# "standard" retries throttling and transient errors with exponential backoff and full jitter.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=8,
    max_pool_connections=25,
)


def aws_client(service: str) -> Any:
    """Make a client. Call it at import, so that a warm function reuses its connections.

    Parameters
    ----------
    service
        Name as boto3 knows it, such as `dynamodb`.

    Returns
    -------
    The boto3 client: at most 4 attempts a call, 2 s to connect and 8 s to wait for an answer.
    """
    return boto3.client(service, config=_CONFIG)
