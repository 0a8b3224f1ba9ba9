"""Routes of an HTTP API: what answers a request, who may send it, and how often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

import pulumi

from components.blocks.access.grants import Uses
from components.blocks.access.permissions import Permission

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
# Integrations end after 30 seconds: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MAX_TIMEOUT_SECONDS = 29
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """Rate limit; API Gateway answers further requests with 429.

    Attributes
    ----------
    requests_per_second
        Sustained rate.
    burst
        Requests allowed at once.
    """

    requests_per_second: pulumi.Input[float] = 100
    burst: pulumi.Input[int] = 200


@dataclass(frozen=True, kw_only=True)
class JwtIssuer:
    """JWT issuer and accepted audiences.

    Attributes
    ----------
    issuer
        Value of the tokens' `iss`, an address; API Gateway finds the keys by OpenID Connect Discovery.
    audiences
        Accepted values of the tokens' `aud` or `client_id`.
    """

    issuer: pulumi.Input[str]
    audiences: Sequence[pulumi.Input[str]]


@dataclass(frozen=True)
class Route:
    """A route and the function that answers it.

    Attributes
    ----------
    method, path
        Such as `GET` and `/projects/{project}`; `{name+}` takes the rest of the path, slashes included.
    handler
        Path of the function's file, such as `handlers/api/project_get.py`; the file has a function `handler`.
    uses, permissions, environment, files
        As `PythonFunction` takes them.
    public
        Requests need no token.
    timeout_seconds, memory_mb
        Limits of the function.
    throttle
        The route's own rate limit; the API's limit when absent.
    """

    method: str
    path: str
    _: KW_ONLY
    handler: str
    uses: Uses = field(default_factory=dict)
    permissions: Sequence[Permission] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    public: bool = False
    timeout_seconds: int = 15
    memory_mb: int = 512
    throttle: Throttle | None = None

    @property
    def key(self) -> str:
        """The route key of API Gateway, such as `GET /projects/{project}`."""
        return f"{self.method} {self.path}"

    @property
    def resource_name(self) -> str:
        """The key as part of logical names, such as `get-projects-project`."""
        return _NOT_IN_NAMES.sub("-", self.key).strip("-").lower()

    @property
    def function_name(self) -> str:
        """The handler's file name as part of the function's logical name, such as `project-get`.

        Names of functions and roles have at most 64 characters, for which names made of paths are too long.
        """
        return self.handler.rpartition("/")[2].removesuffix(".py").replace("_", "-")

    def mistakes(self) -> list[str]:
        """List what is wrong, each with what was expected."""
        found = []
        if self.method not in METHODS:
            found.append(f"{self.key}: method {self.method}; expected one of {', '.join(METHODS)}")
        if not self.path.startswith("/"):
            found.append(f"{self.key}: path {self.path}; expected it to start with /")
        if not 1 <= self.timeout_seconds <= MAX_TIMEOUT_SECONDS:
            found.append(f"{self.key}: timeout {self.timeout_seconds} s; expected 1 to {MAX_TIMEOUT_SECONDS}")
        return found


def mistakes_of(routes: Sequence[Route]) -> list[str]:
    """List what is wrong with the routes of one API, each with what was expected."""
    found = [mistake for route in routes for mistake in route.mistakes()]
    if not routes:
        found.append("routes: expected at least one")
    named = {
        "route": [route.key for route in routes],
        # Parameters' names do not tell routes apart, neither here nor in API Gateway.
        "name": list({route.key: route.resource_name for route in routes}.values()),
        "handler": [route.function_name for route in routes],
    }
    for title, values in named.items():
        found += [f"{title} {value}: given {count} times" for value, count in Counter(values).items() if count > 1]
    return found
