"""AWS clients of the endpoints. Users wait for them, so they give up sooner than those of the pipeline."""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from handlers.common.clients import aws_client

ATTEMPTS = 3
_IMPATIENT = Config(connect_timeout=1, read_timeout=3)
# The regional endpoint, because only that one takes forms for a new bucket; the signature that all regions accept.
_LINKS = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})


def client(service: str) -> Any:
    """Make a client of a service, with three attempts of at most 3 seconds each."""
    return aws_client(service, ATTEMPTS, _IMPATIENT)


def s3_client() -> Any:
    """Make a client of S3 that can also sign links and forms."""
    return aws_client("s3", ATTEMPTS, _IMPATIENT.merge(_LINKS))
