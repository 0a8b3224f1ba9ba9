"""What the declaration of an endpoint says; the declarations are in `schema/endpoints.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Method = Literal["DELETE", "GET", "PATCH", "POST", "PUT"]
# Environment variables that name the resources which endpoints use.
DOCUMENTS_TABLE = "DOCUMENTS_TABLE"
DOCUMENTS_BUCKET = "DOCUMENTS_BUCKET"
COMPANIES_TABLE = "COMPANIES_TABLE"
OBSERVATIONS_TABLE = "OBSERVATIONS_TABLE"
STATE_MACHINES = "STATE_MACHINES"
# Time limit of an endpoint in seconds; API Gateway ends every request after 30.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
DEFAULT_SECONDS = 15
LONG_SECONDS = 29
MEGABYTES = 512


@dataclass(frozen=True)
class Use:
    """A permission on a resource that an endpoint uses.

    Attributes
    ----------
    resource
        Environment variable by which the script learns the resource's name, such as `DOCUMENTS_TABLE`.
    actions
        IAM actions without the service's prefix, such as `("GetItem", "PutItem")`.
    index
        Index of a table; the table itself when empty.
    prefixes
        Prefixes of a bucket's objects, in which `*` stands for an id.
    """

    resource: str
    actions: tuple[str, ...]
    index: str = ""
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint of the API.

    Types are named as `module:name`, so that this table can be read without importing them.

    Attributes
    ----------
    method, path
        Such as `GET` and `/projects/{project}`; `{name+}` takes the rest of the path, slashes included.
    script
        File in `handlers/api/`, without `.py`.
    group
        Heading in the OpenAPI document.
    summary, description
        What it does in one line, and what else to know.
    uses
        Resources that it may use, and how.
    services
        IAM actions of services that have no resource to name.
    environment
        Further environment variables that its script reads; `NlpApi` gives their values.
    public
        It needs no sign-in.
    costly
        It starts something that is paid for, so the tighter throttle applies.
    timeout_seconds, memory_mb
        Limits of its function.
    files
        Files beside the script's bundle that it reads, by their path in the bundle; relative to the project's folder.
    parameters
        By name, types of those parameters in the path that are no ids.
    query, request
        Types of the query string and of the body.
    example
        A body, as JSON.
    answers
        By status: type of the body, or None where there is no body, and when it is answered.
    problems
        Statuses of its refusals, besides those of every endpoint.
    idempotent
        It takes an `Idempotency-Key`.
    location
        Its success names what it made in the header `Location`.
    """

    method: Method
    path: str
    script: str
    group: str
    summary: str
    description: str = ""
    uses: tuple[Use, ...] = ()
    services: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    public: bool = False
    costly: bool = False
    timeout_seconds: int = DEFAULT_SECONDS
    memory_mb: int = MEGABYTES
    files: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: str | None = None
    request: str | None = None
    example: Mapping[str, Any] | None = None
    answers: Mapping[int, tuple[str | None, str]]
    problems: tuple[int, ...] = ()
    idempotent: bool = False
    location: bool = False

    @property
    def route(self) -> str:
        """Key of the route in API Gateway, such as `GET /projects/{project}`."""
        return f"{self.method} {self.path}"

    @property
    def described_path(self) -> str:
        """Path in the OpenAPI document, which has no greedy parameters."""
        return self.path.replace("+}", "}")
