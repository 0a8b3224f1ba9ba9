"""Types of the declarations of endpoints; the declarations themselves are in `schema/endpoints.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from schema.roles import Role

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
        Environment variable that holds the resource's name, such as `DOCUMENTS_TABLE`.
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
        What it does, in one line; and further details.
    uses
        Resources that it may use, and how.
    services
        IAM actions of services that have no resource to name.
    environment
        Further environment variables that its script reads; `NlpApi` gives their values.
    public
        Requests need no token.
    role
        Role that a caller needs at least; required unless the endpoint is public. What changes something that others
        see, or causes paid work, needs `editor`.
    costly
        Its requests cause paid work, so the tighter throttle applies.
    timeout_seconds, memory_mb
        Limits of its function.
    files
        Further files that the script reads: path in the bundle -> path in the project.
    parameters
        Types of the path parameters that are not ids, by name.
    query, request
        Types of the query string and of the body.
    example
        A body, as JSON.
    answers
        By HTTP status: type of the body (None without a body) and description.
    problems
        HTTP statuses of its errors, besides those that every endpoint has.
    idempotent
        Requests may have an `Idempotency-Key`.
    location
        Its answer has a header `Location` with the path of the new resource.
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
    role: Role | None = None
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

    def __post_init__(self) -> None:
        if (self.role is None) is not self.public:
            raise ValueError(f"{self.route}: expected a role, or public")

    @property
    def route(self) -> str:
        """Key of the route in API Gateway, such as `GET /projects/{project}`."""
        return f"{self.method} {self.path}"

    @property
    def described_path(self) -> str:
        """Path in the OpenAPI document, which has no greedy parameters."""
        return self.path.replace("+}", "}")
