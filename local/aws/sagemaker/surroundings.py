"""Where a processing job runs: its region, and how it and its programs reach AWS as the job's role."""

from __future__ import annotations

import functools
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from local.aws.roles import Credentials, session_credentials

if TYPE_CHECKING:
    import boto3

_session_lock = threading.Lock()


@dataclass(frozen=True)
class Surroundings:
    """Where a job runs.

    Attributes
    ----------
    region
        Region of the job.
    endpoint
        Address of the embedded AWS.
    credentials
        Of a session of the job's role.
    """

    region: str
    endpoint: str
    credentials: Credentials

    @classmethod
    def of_role(cls, role_arn: str) -> Self:
        """Return those of a job that was asked for in this request, with a role."""
        from ministack.core.responses import get_region

        endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
        return cls(get_region(), endpoint, session_credentials(role_arn, "SageMaker"))

    def variables(self) -> dict[str, str]:
        """Return the environment variables by which the job's program reaches AWS."""
        # No AWS_DEFAULT_REGION: SageMaker sets none either, and boto3 reads no other variable.
        reach = {"AWS_REGION": self.region, "AWS_ENDPOINT_URL": self.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
        return self.credentials | reach

    def client(self, service: str) -> Any:
        """Return a boto3 client with the permissions of the job's role."""
        with _session_lock:  # making clients is the one thing that a session does not do from several threads
            return _session().client(
                service,  # type: ignore[call-overload]
                region_name=self.region,
                endpoint_url=self.endpoint,
                aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=self.credentials["AWS_SESSION_TOKEN"],
            )


@functools.cache
def _session() -> boto3.Session:
    import boto3  # imported late: half of a second, which only a start with jobs needs to wait for

    return boto3.Session()
