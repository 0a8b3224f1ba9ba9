"""AWS clients with time limits, retries and room for concurrent calls."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

# Without one, botocore describes the machine for each request, which takes a tenth of a call's processor time.
USER_AGENT = "cloud-nlp"


def aws_client(service: str, attempts: int = 4, config: Config | None = None) -> Any:
    """Make a client. Call it at import, so that a warm function reuses its connections.

    Parameters
    ----------
    service
        Name as boto3 knows it, such as `dynamodb`.
    attempts
        Attempts of each call. The mode "standard" repeats throttled calls and transient failures, with exponential
        back-off and full jitter.
    config
        Further settings, which override the defaults.

    Returns
    -------
    The boto3 client; it waits 2 s for a connection and 8 s for an answer, in each attempt.
    """
    defaults = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=2,
        read_timeout=8,
        max_pool_connections=25,
        parameter_validation=False,  # a third of a batch's processor time; AWS checks parameters itself
        user_agent=USER_AGENT,
    )
    return boto3.client(service, config=defaults.merge(config) if config else defaults)
