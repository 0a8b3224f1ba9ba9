"""A new endpoint is a declaration, a script and its types: three files, from which everything else follows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.project_copy import ProjectCopy
from tests.support.pulumi_mocks import ROOT_FOLDER

DECLARATION = """
    Endpoint(
        method="GET",
        path=_PROJECT + "/notes/{note}",
        script="note_get",
        group="Projects",
        role="reader",
        summary="Read a note of a project",
        uses=(_documents_table("GetItem"),),
        answers={200: ("handlers.projects.note_models:Note", "The note")},
        problems=(404,),
    ),
"""
SCRIPT = '''"""Lambda function: `GET /projects/{project}/notes/{note}` reads a note of a project."""

from __future__ import annotations

import msgspec

from handlers.api.support.answers import Answer, answer
from handlers.api.support.clients import client
from handlers.api.support.endpoint import endpoint
from handlers.api.support.requests import Request
from handlers.common.environment import read_environment
from handlers.common.problems import not_found
from handlers.common.table import Table
from handlers.projects.note_models import Note


class _Environment(msgspec.Struct, frozen=True):
    documents_table: str


environment = read_environment(_Environment)
table = Table(client("dynamodb"), environment.documents_table)


def get_note(request: Request) -> Answer:
    """Answer the note."""
    project, note = request.identifier("project"), request.identifier("note")
    item = table.get((f"PROJECT#{project}", f"NOTE#{note}"))
    if item is None:
        raise not_found("note")
    return answer(200, Note(item["text"]))


handler = endpoint(get_note)
'''
MODELS = '''"""Types of answers about notes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Note(msgspec.Struct, frozen=True):
    """A note of a project."""

    text: Annotated[str, Meta(description="What it says", examples=["Ask Ana."])]
'''
BEGINNING = "ENDPOINTS: tuple[Endpoint, ...] = (\n"
FILES = {"schema/endpoints.py", "handlers/api/note_get.py", "handlers/projects/note_models.py"}
ROUTE = "GET /projects/{project}/notes/{note}"
ID = "01939d4a-6c1b-7a4e-8f2d-3b5c7e9a1d20"
CALL = """
import json
from unittest.mock import Mock, patch
item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": "Ask Ana."}}
with patch("boto3.client", return_value=Mock(**{"get_item.side_effect": [{"Item": item}, {}]})):
    from handlers.api import note_get
    answers = [note_get.handler(event, None) for event in json.loads(EVENTS)]
print(json.dumps(answers))
"""
EVALUATION = """
import json
from tests.support.pulumi_mocks import evaluate_program
evaluation = evaluate_program("dev")
routes = [one.inputs["routeKey"] for one in evaluation.of("aws:apigatewayv2/route:Route")]
[function] = [one for one in evaluation.of("aws:lambda/function:Function") if "note_get" in one.inputs["handler"]]
sharing = [one.name for one in evaluation.of("aws:lambda/function:Function")
           if one.inputs["role"] == function.inputs["role"]]
role = function.inputs["role"].rpartition("/")[2]
policies = [json.loads(one.inputs["policy"]) for one in evaluation.of("aws:iam/rolePolicy:RolePolicy")
            if one.inputs["role"] == role]
print(json.dumps({"routes": routes, "sharing": sharing, "policies": policies}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The project with one more endpoint."""
    copy = ProjectCopy(tmp_path_factory.mktemp("addition") / "project")
    copy.replace("schema/endpoints.py", BEGINNING, BEGINNING + DECLARATION.lstrip("\n"))
    copy.write("handlers/api/note_get.py", SCRIPT)
    copy.write("handlers/projects/note_models.py", MODELS)
    return copy


def test_three_files_are_touched(project: ProjectCopy) -> None:
    assert project.touched() == FILES


def test_the_document_describes_it(project: ProjectCopy) -> None:
    text = project.run("from handlers.api.support.description import description_json; print(description_json())")
    document = json.loads(text)
    described = document["paths"]["/projects/{project}/notes/{note}"]["get"]
    assert described["operationId"] == "note_get"
    assert [one["name"] for one in described["parameters"]] == ["project", "note"]
    assert described["x-required-role"] == "reader"
    assert set(described["responses"]) == {"200", "401", "403", "404", "429", "500", "503"}
    assert document["components"]["schemas"]["Note"]["properties"]["text"]["type"] == "string"


def test_its_script_answers(project: ProjectCopy) -> None:
    event: dict[str, Any] = {
        "routeKey": ROUTE,
        "pathParameters": {"project": ID, "note": ID},
        "requestContext": {"authorizer": {"jwt": {"claims": {"sub": "ann"}}}},
    }
    unknown = {**event, "pathParameters": {"project": ID, "note": "x"}}
    code = f"EVENTS = {json.dumps(json.dumps([event, event, unknown]))}\n{CALL}"
    environment = {"DOCUMENTS_TABLE": "documents", "REQUIRED_ROLE": "reader", "DEFAULT_ROLE": "reader"}
    printed = project.run(code, **environment, LOG_LEVEL="CRITICAL", AWS_DEFAULT_REGION="eu-central-1")
    found, gone, wrong = json.loads(printed.splitlines()[-1])
    assert (found["statusCode"], json.loads(found["body"])) == (200, {"text": "Ask Ana."})
    assert gone["statusCode"] == wrong["statusCode"] == 404


@pytest.mark.skipif(
    (ROOT_FOLDER / "components" / "product_routes.py").exists(), reason="the components have a list of their own"
)
def test_the_program_has_its_route_function_and_role(project: ProjectCopy) -> None:
    evaluated = json.loads(project.run(EVALUATION).splitlines()[-1])
    assert ROUTE in evaluated["routes"]
    assert len(evaluated["sharing"]) == 1, "the role is the function's own"
    [policy] = evaluated["policies"]
    actions = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert [action for action in actions if action.startswith("dynamodb:")] == ["dynamodb:GetItem"]
