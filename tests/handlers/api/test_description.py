"""The OpenAPI document: held to the file, to the standard, and to the scripts."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

import handlers.api
from handlers.api.support.description import (
    _PROBLEMS,
    DOCUMENT,
    PAGE,
    description,
    description_json,
    document_text,
    page_text,
)
from handlers.api.support.registry import OPERATIONS, Operation
from schema.problems import PROBLEMS

ROOT = Path(__file__).parents[3]
SCRIPTS = {path.stem for path in Path(handlers.api.__path__[0]).glob("*.py")} - {"__init__"}


def operations() -> list[Any]:
    return [operation for path in description()["paths"].values() for operation in path.values()]


def test_the_files_are_current() -> None:
    assert DOCUMENT.read_text() == document_text(), "run `make openapi`"
    assert PAGE.read_text() == page_text(PAGE.read_text()), "run `make openapi`"


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert description()["info"]["version"] == project["version"]


def test_it_is_valid_openapi() -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # imported late: it takes long

    OpenAPIV31SpecValidator(json.loads(description_json())).validate()


def test_every_script_is_described_and_every_description_has_its_script() -> None:
    scripts = [operation.script for operation in OPERATIONS]
    assert sorted(scripts) == sorted(SCRIPTS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


def test_scripts_are_short() -> None:
    lengths = {path: len((ROOT / "handlers" / "api" / f"{path}.py").read_text().splitlines()) for path in SCRIPTS}
    assert {path: lines for path, lines in lengths.items() if not 10 <= lines <= 60} == {}


def test_health_and_the_document_alone_are_public() -> None:
    public = {operation["operationId"] for operation in operations() if operation.get("security") == []}
    assert public == {"health", "openapi"} == {operation.script for operation in OPERATIONS if operation.public}
    assert description()["security"] == [{"token": []}]
    for operation in operations():
        assert ("401" in operation["responses"]) is (operation["operationId"] not in public)


def test_every_field_and_parameter_has_a_type_and_parameters_are_described() -> None:
    for operation in operations():
        for parameter in operation.get("parameters", []):
            assert parameter["description"]
            assert {"type", "enum", "anyOf"} & parameter["schema"].keys(), parameter
            assert None not in parameter["schema"].get("enum", [])
            assert "null" not in json.dumps(parameter["schema"])


def test_every_kind_of_problem_has_a_described_status() -> None:
    assert {status for status, _ in PROBLEMS.values()} == set(_PROBLEMS)
    names = description()["components"]["responses"]
    assert {name for name, _ in _PROBLEMS.values()} == set(names)


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if operation.request])
def test_examples_are_accepted(operation: Operation) -> None:
    content = description()["paths"][operation.described_path][operation.method.lower()]["requestBody"]["content"]
    example = content["application/json"]["example"]
    assert example == operation.example
    msgspec.convert(example, operation.request_type)


def test_requests_refuse_unknown_fields() -> None:
    schemas = description()["components"]["schemas"]
    names = set[str]()
    unseen = {name for one in operations() if "requestBody" in one for name in references(one["requestBody"])}
    while unseen:
        names |= unseen
        unseen = {other for name in unseen for other in references(schemas[name])} - names
    assert names >= {"NewProject", "ProjectChanges", "NewDocument", "CompanyChanges", "NewSentiments"}
    for name in names:
        schema = schemas[name]
        assert "anyOf" in schema or schema["additionalProperties"] is False, name


def references(part: Any) -> set[str]:
    """Names of the schemas that a part of the document refers to."""
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)))
