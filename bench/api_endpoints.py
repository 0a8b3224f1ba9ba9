"""The API's endpoints that are measured: for each, requests that are answered the same however many there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.api_data import ApiData
from bench.api_load import Call
from schema import endpoints

_DECLARED = {endpoint.route: endpoint for endpoint in endpoints.ENDPOINTS}
LISTED = 10
_LIMIT = f"?limit={LISTED}"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint.

    Attributes
    ----------
    route
        Its route, such as `GET /projects`.
    calls
        Makes requests, so many of them. What they need is made before, and none meets what another one has changed.
    aws_calls
        How many calls to AWS each of them makes.
    at_once
        Makes two of its calls to AWS at once.
    """

    route: str
    calls: Callable[[ApiData, int], list[Call]]
    aws_calls: int
    at_once: bool = False

    @property
    def public(self) -> bool:
        """It needs no sign-in."""
        return _DECLARED[self.route].public


def _same(method: str, path: str, body: object = None) -> Callable[[ApiData, int], list[Call]]:
    """Repeat one request; names of data in its path are filled in."""
    return lambda data, count: [Call(method, path.format_map(data.names), body)] * count


def _each(method: str, path: str, made: Callable[[ApiData, int], list[dict[str, str]]]) -> Callable[..., list[Call]]:
    """Send each request to something of its own, for requests that change it."""
    return lambda data, count: [Call(method, path.format_map(names)) for names in made(data, count)]


def _starts_of_jobs(data: ApiData, count: int) -> list[Call]:
    body = {"kind": "analyse", "options": {}}
    return [Call("POST", f"/projects/{names['project']}/jobs", body) for names in data.ready_projects(count)]


_PROJECT = "/projects/{project}"
_JOB = _PROJECT + "/jobs/{job}"

# Those that add to lists come after those that read them.
ENDPOINTS = (
    Endpoint("GET /health", _same("GET", "/health"), 0),
    Endpoint("GET /openapi.json", _same("GET", "/openapi.json"), 0),
    Endpoint("GET /projects", _same("GET", "/projects" + _LIMIT), 3, at_once=True),
    Endpoint("GET /projects/{project}", _same("GET", _PROJECT), 1),
    Endpoint("GET /projects/{project}/documents", _same("GET", _PROJECT + "/documents" + _LIMIT), 3, at_once=True),
    Endpoint("GET /projects/{project}/jobs", _same("GET", _PROJECT + "/jobs" + _LIMIT), 2, at_once=True),
    Endpoint("GET /projects/{project}/jobs/{job}", _same("GET", _JOB), 1),
    Endpoint("GET /projects/{project}/jobs/{job}/results", _same("GET", _JOB + "/results"), 2),
    Endpoint("GET /companies", _same("GET", "/companies" + _LIMIT), 2),
    Endpoint("GET /companies/{name+}", _same("GET", "/companies/{company}"), 2, at_once=True),
    Endpoint("POST /sentiment", _same("POST", "/sentiment", {"texts": ["A joy to use."], "language": "en"}), 1),
    Endpoint("PATCH /projects/{project}", _same("PATCH", _PROJECT, {"name": "New name"}), 1),
    Endpoint("PUT /companies/{name+}", _same("PUT", "/companies/{company}", {"page": "Page"}), 1),
    Endpoint("POST /companies", _same("POST", "/companies", {"changes": [{"action": "remove", "name": "Nobody"}]}), 1),
    Endpoint("POST /projects", _same("POST", "/projects", {"name": "Project"}), 1),
    Endpoint("POST /projects/{project}/documents", _same("POST", _PROJECT + "/documents", {"name": "a.txt"}), 2),
    Endpoint("POST /projects/{project}/jobs", _starts_of_jobs, 4, at_once=True),
    Endpoint("DELETE /projects/{project}/jobs/{job}", _each("DELETE", _JOB, ApiData.running_jobs), 3),
    Endpoint(
        "DELETE /projects/{project}/documents/{document}",
        _each("DELETE", _PROJECT + "/documents/{document}", ApiData.documents),
        3,
    ),
    Endpoint("DELETE /projects/{project}", _each("DELETE", _PROJECT, ApiData.projects), 2),
    Endpoint("DELETE /companies/{name+}", _each("DELETE", "/companies/{company}", ApiData.companies), 1),
)
# Declared endpoints without requests above; the benchmark says that it leaves them out.
NOT_MEASURED = sorted(_DECLARED.keys() - {endpoint.route for endpoint in ENDPOINTS})
