"""The deployed API keeps to its description: requests of all kinds, right and wrong ones, and every answer foreseen.

Schemathesis makes the requests from the description and checks each answer: no server error; no status, content type or
content that is not described; wrong data refused, right data accepted, nothing done without a valid token. It sends
them as the user whom things belong to and as another one, in all roles: without the role, an operation is refused
whatever its data are, and without being the owner, nothing of somebody else's is found.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema.roles import ROLES, includes

pytest_plugins = ["schemathesis.pytest.plugin"]
DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.json"
# Stand in most requests for the ids of what is really there: each operation has its own, since some of them delete.
STAND_INS = {
    "project": "00000000-0000-7000-8000-0000000000a1",
    "document": "00000000-0000-7000-8000-0000000000b2",
    "job": "00000000-0000-7000-8000-0000000000c3",
}
# API Gateway refuses some requests before the API sees them.
OF_GATEWAY = (400, 404, 413)
REFUSED = (400, 403, 404, 409, 413, 415, 422)
REFUSALS = ["400", "401", "403", "404", "409", "413", "415", "422"]
CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "mode": "all"},
    "dictionaries": {name: {"values": [stand_in]} for name, stand_in in STAND_INS.items()},
    "parameters": {f"path.{name}": {"dictionary": name, "probability": 0.7} for name in STAND_INS},
    "checks": {
        "negative_data_rejection": {"expected-statuses": REFUSALS},
        # API Gateway answers 404 where a path has no route for a method.
        "unsupported_method": {"enabled": False},
    },
}
# Refusals of what a schema cannot tell from the right: a problem's type, and a pattern of its detail's beginning.
BEYOND_SCHEMAS = [
    ("malformed-cursor", "Take the cursor from `next`"),
    ("invalid-fields", "limit: at most 100, or `latest` false"),
    ("invalid-fields", r"changes\[\d+\]\.(new_)?name: a company that is in no other change"),
    ("invalid-fields", "kind: with `latest`, the kind of job"),
    ("invalid-fields", "options.engine: `amazon`: there is no MarianMT model"),
    ("invalid-fields", "options.source: the language of the model"),
    ("invalid-fields", "options.target: another language than `source`"),
]
# The last but one claims to be somebody, without a signature.
BAD_TOKENS = [
    "",
    "Bearer ",
    "Bearer nonsense",
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.",
    "Basic YW5uOnNlY3JldA==",
]

load_all_checks()
# The fixture is the same for all examples, and slow requests are no reason to end.
UNHEALTHY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
positive_data_acceptance: Any = CHECKS.get_one("positive_data_acceptance")
CONFORMANCE: list[Any] = [
    CHECKS.get_one(f"{what}_conformance") for what in ("status_code", "content_type", "response_schema")
]
described = schemathesis.openapi.from_path(DESCRIPTION, config=schemathesis.Config.from_dict(CONFIG))
OPERATIONS: list[Any] = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]


class Known:
    """What is really there, of a user of its own."""

    def __init__(self, stack: LocalStack) -> None:
        self.url = stack.outputs["api_url"]
        self.user = ApiUser(stack, "conformance@example.com")
        strangers = {role: ApiUser(stack, f"conformance-{role}@example.com", role) for role in ROLES}
        nobody = ApiUser(stack, "conformance-nobody@example.com", None)
        self.strangers: dict[str, ApiUser] = {"none": nobody, **strangers}
        self._kept: dict[str, str] | None = None
        self._of: dict[str, dict[str, str]] = {}

    def ids(self, operation: str) -> dict[str, str]:
        """Ids that an operation finds, by what stands for them."""
        if operation not in self._of:
            self.user.call("PUT", "/companies/Spotify", {})
            # What deletes has to have its own; a job takes seconds, and no operation deletes one.
            self._of[operation] = self._make() if operation.startswith("DELETE") else self._with_job()
        return self._of[operation]

    def _with_job(self) -> dict[str, str]:
        if self._kept is None:
            made = self._make()
            job = self.user.start_job(made[STAND_INS["project"]], "analyse")
            assert self.user.follow_job(made[STAND_INS["project"]], job)["status"] == "completed"
            self._kept = {**made, STAND_INS["job"]: job}
        return self._kept

    def _make(self) -> dict[str, str]:
        project = self.user.create_project("Conformance")
        document = self.user.upload(project, "text.txt", b"Good.")
        return {STAND_INS["project"]: project, STAND_INS["document"]: document}


@pytest.fixture(scope="module")
def known(stack: LocalStack) -> Known:
    return Known(stack)


def test_the_description_is_the_one_that_is_served(stack: LocalStack) -> None:
    served = httpx.get(f"{stack.outputs['api_url']}/openapi.json")
    assert served.json() == json.loads(DESCRIPTION.read_text())
    assert len(OPERATIONS) == sum(map(len, served.json()["paths"].values()))


def make_test(operation: Any) -> Any:
    """Make the test of an operation."""

    @described.include(method=operation.method, path=operation.path).parametrize()
    @settings(max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=UNHEALTHY)
    def test(case: schemathesis.Case, known: Known) -> None:
        ids = known.ids(case.operation.label)
        for name, value in case.path_parameters.items():
            case.path_parameters[name] = ids.get(value, value)
        request: dict[str, Any] = {"base_url": known.url, "headers": {"authorization": f"Bearer {known.user.token}"}}
        response = case.call(**request)
        excluded = [positive_data_acceptance] if is_beyond_schemas(response) else []
        case.validate_response(response, excluded_checks=excluded, transport_kwargs=request)

    return test


def make_test_of_strangers(operation: Any) -> Any:
    """Make the test of an operation that users of all roles send about what belongs to somebody else."""
    needed = operation.definition.raw.get("x-required-role")
    owned = "{project}" in operation.path

    @described.include(method=operation.method, path=operation.path).parametrize()
    @settings(max_examples=3, derandomize=True, deadline=None, database=None, suppress_health_check=UNHEALTHY)
    def test(case: schemathesis.Case, known: Known) -> None:
        ids = known.ids(case.operation.label)
        for name, value in case.path_parameters.items():
            case.path_parameters[name] = ids.get(value, value)
        for role, user in known.strangers.items():
            request: dict[str, Any] = {"base_url": known.url, "headers": {"authorization": f"Bearer {user.token}"}}
            response = case.call(**request)
            case.validate_response(response, checks=CONFORMANCE, transport_kwargs=request)
            assert response.status_code < 500
            if "Authorization" not in response.request.headers:  # some cases leave out the token, too
                assert response.status_code == 401
            # People without a group are readers, which is the default.
            elif needed and not includes("reader" if role == "none" else role, needed):
                assert response.status_code in (403, *OF_GATEWAY), role
            elif owned:
                assert response.status_code in REFUSED, role

    return test


# A function each: tests that schemathesis makes of one function share an id, of which pytest-xdist runs one.
for one in OPERATIONS:
    name = f"test_every_answer_of_{one.definition.raw['operationId']}_is_described"
    globals()[name] = make_test(one)
    if one.definition.raw.get("x-required-role"):
        globals()[f"test_strangers_and_{one.definition.raw['operationId']}"] = make_test_of_strangers(one)


def is_beyond_schemas(response: Any) -> bool:
    """Whether it refuses what a schema cannot tell from the right."""
    if response.headers.get("content-type") != ["application/problem+json"]:
        return False
    problem = response.json()
    kind = problem["type"].rpartition(":")[2]
    return any(kind == one and bool(re.match(detail, problem["detail"])) for one, detail in BEYOND_SCHEMAS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_without_a_valid_token_there_is_nothing_but_what_is_public(operation: Any, known: Known) -> None:
    ids = {**STAND_INS, "name": "Spotify"}
    path = {one.name: ids.get(one.name, STAND_INS["document"]) for one in operation.path_parameters}
    body = {"body": {}} if operation.body else {}
    is_public = operation.label in ("GET /health", "GET /openapi.json")
    for token in BAD_TOKENS:
        case = operation.Case(path_parameters=path, **body)
        response = case.call(base_url=known.url, headers={"authorization": token} if token else {})
        case.validate_response(response, checks=CONFORMANCE)
        assert response.status_code == (200 if is_public else 401), token
