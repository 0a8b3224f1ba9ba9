"""The OpenAPI document, made from the declarations of endpoints and the types of their requests and answers.

`make openapi` writes it to `docs/openapi.json`. The endpoint `GET /openapi.json` answers that file, so no function
imports this module.
"""

from __future__ import annotations

import tomllib
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from handlers.api.support.models import GatewayMessage
from handlers.api.support.registry import OPERATIONS, Operation
from handlers.common.problems import ProblemDetails
from schema.ids import ID_PATTERN

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "openapi.json"
PAGE = ROOT / "docs" / "api.md"
LIST_BEGINS, LIST_ENDS = "<!-- `make openapi` writes this table -->", "<!-- end of the table -->"
REFERENCES = "#/components/schemas/{name}"
# Statuses that API Gateway answers too, with a body of its own, before a request reaches the API.
_OF_GATEWAY = {401, 404, 413, 429, 500, 503}
_ANYWHERE = (429, 500, 503)
# Written out, because Python's words for some statuses differ from version to version.
_PROBLEMS = {
    400: ("Malformed", "The request, or its cursor, cannot be read"),
    401: ("NotSignedIn", "The token is missing, invalid or expired"),
    403: ("Forbidden", "The caller needs another role, which `required_role` names, or is not the owner; see `type`"),
    404: ("NotFound", "It does not exist or is not the caller's; the API does not say which"),
    409: ("Conflict", "The present state does not allow it; `type` and `detail` say why"),
    413: ("TooLarge", "The body is over 1 MB, or a list in it is too long"),
    415: ("NotJson", "The body is not declared as JSON"),
    422: ("WrongFields", "Fields are unknown, missing or wrong; `errors` names each, and what was expected"),
    429: ("TooManyRequests", "There are too many requests"),
    500: ("Unexpected", "Something unexpected went wrong"),
    503: ("Unavailable", "A service is not available at the moment"),
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Key of this request, such as a UUID, with which it can be repeated if its answer was lost",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
}


def description() -> dict[str, Any]:
    """Make the OpenAPI document.

    Returns
    -------
    The document, version 3.1, in JSON's types.
    """
    types = [kind for operation in OPERATIONS for kind in _types_of(operation)]
    references, schemas = msgspec.json.schema_components(
        [*types, ProblemDetails, GatewayMessage], ref_template=REFERENCES
    )
    schema_of = {id(kind): reference for kind, reference in zip(types, references, strict=False)}
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.described_path, {})[operation.method.lower()] = _operation(
            operation, schema_of, schemas
        )
    for query in {operation.query_type.__name__ for operation in OPERATIONS if operation.query}:
        del schemas[query]  # described as parameters
    for schema in schemas.values():
        schema["description"] = cleandoc(schema["description"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cloud NLP",
            "version": version(),
            "description": "Projects, documents and batch jobs; companies and their sentiment. Times are UTC. Refusals "
            "are problem details (RFC 9457) that name the fields which are wrong. Lists have cursors: pass `next` as "
            "`cursor` until it is null. Callers have a role: a `reader` reads, an `editor` also changes and has paid "
            "work done, an `admin` may do everything. Each operation names the role that it needs.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": group} for group in dict.fromkeys(operation.group for operation in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {name: _problem(status, when) for status, (name, when) in _PROBLEMS.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def description_json() -> str:
    """Make the OpenAPI document as JSON, on one line."""
    return msgspec.json.encode(_portable(description())).decode()


def _portable(content: Any) -> Any:
    """Spell the ends of patterns as other dialects than Python's do, in which `$` matches at the end alone."""
    if isinstance(content, dict):
        return {
            key: _portable_pattern(value) if key == "pattern" and isinstance(value, str) else _portable(value)
            for key, value in content.items()
        }
    return [_portable(value) for value in content] if isinstance(content, list) else content


def _portable_pattern(pattern: str) -> str:
    if pattern.startswith(r"\A"):
        pattern = "^" + pattern.removeprefix(r"\A")
    return pattern.removesuffix(r"\Z") + "$" if pattern.endswith(r"\Z") else pattern


def version() -> str:
    """Read the project's version, which `GET /health` answers too."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def document_text() -> str:
    """Make the OpenAPI document as the text of its file."""
    return msgspec.json.format(description_json(), indent=2) + "\n"


def page_text(page: str) -> str:
    """Renew the list of endpoints in the text of the page about the API."""
    before, rest = page.split(LIST_BEGINS)
    rows = [f"| `{one.method} {one.described_path}` | {one.summary} | {one.role or 'none'} |" for one in OPERATIONS]
    table = "\n".join(["| Endpoint | What it does | Role |", "|---|---|---|", *rows])
    return f"{before}{LIST_BEGINS}\n\n{table}\n\n{LIST_ENDS}{rest.split(LIST_ENDS)[1]}"


def _types_of(operation: Operation) -> list[Any]:
    kinds = (operation.request_type, operation.query_type, *operation.answer_types.values())
    return [kind for kind in kinds if kind is not None]


def _operation(operation: Operation, schema_of: dict[int, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.script,
        "tags": [operation.group],
        "summary": operation.summary,
    }
    described |= _description(operation)
    parameters = _path_parameters(operation)
    if operation.query:
        parameters += _query_parameters(schemas[operation.query_type.__name__])
    if operation.idempotent:
        parameters.append(_IDEMPOTENCY_KEY)
    if parameters:
        described["parameters"] = parameters
    if operation.request:
        content = {"schema": schema_of[id(operation.request_type)], "example": operation.example}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    described["responses"] = _answers(operation, schema_of) | _problems(operation)
    if operation.public:
        described["security"] = []
    return described


def _description(operation: Operation) -> dict[str, Any]:
    """Describe details and the role that is needed."""
    if operation.role is None:
        return {"description": operation.description} if operation.description else {}
    needed = f"Needs the role `{operation.role}`."
    return {"description": f"{operation.description} {needed}".lstrip(), "x-required-role": operation.role}


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in operation.described_path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, **_path_parameter(operation, name)} for name in names]


def _path_parameter(operation: Operation, name: str) -> dict[str, Any]:
    """Describe a parameter by its type; one without a type is an id."""
    if name not in operation.parameter_types:
        return {"description": f"Id of the {name}", "schema": {"type": "string", "pattern": ID_PATTERN}}
    schema = msgspec.json.schema(operation.parameter_types[name])
    described = {"description": schema.pop("description"), "schema": schema}
    examples = schema.pop("examples", [])
    return described | ({"example": examples[0]} if examples else {})


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn the fields of a query's type into parameters, which are absent instead of null."""
    parameters = []
    for name, field in schema["properties"].items():
        kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
        plain = {key: value for key, value in field.items() if key not in ("anyOf", "description", "default")}
        plain |= kinds[0] if kinds else {}
        if field.get("default") is not None:
            plain["default"] = field["default"]
        if None in plain.get("enum", []):
            plain["enum"] = [value for value in plain["enum"] if value is not None]
        parameters.append({"name": name, "in": "query", "description": field["description"], "schema": plain})
    return parameters


def _answers(operation: Operation, schema_of: dict[int, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for status, (_, when) in operation.answers.items():
        kind = operation.answer_types[status]
        described[str(status)] = {"description": when}
        if kind is not None:
            described[str(status)]["content"] = {"application/json": {"schema": schema_of[id(kind)]}}
        if operation.location:
            location = {"description": "Path of what was made", "schema": {"type": "string"}}
            described[str(status)]["headers"] = {"Location": location}
    return described


def _problems(operation: Operation) -> dict[str, Any]:
    statuses = {*operation.problems, *_ANYWHERE} | (set() if operation.public else {401, 403})
    return {str(status): {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"} for status in sorted(statuses)}


def _problem(status: int, when: str) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": REFERENCES.format(name="ProblemDetails")}}}
    message = {"application/json": {"schema": {"$ref": REFERENCES.format(name="GatewayMessage")}}}
    described: dict[str, Any] = {
        "description": when,
        "content": problem | (message if status in _OF_GATEWAY else {}),
    }
    if status in (409, 429, 503):
        seconds = {"description": "Seconds after which to try again", "schema": {"type": "integer"}}
        described["headers"] = {"Retry-After": seconds}
    return described


def write() -> None:
    """Write the document, and the list of endpoints in the page about the API."""
    DOCUMENT.write_text(document_text())
    PAGE.write_text(page_text(PAGE.read_text()))


if __name__ == "__main__":
    write()
