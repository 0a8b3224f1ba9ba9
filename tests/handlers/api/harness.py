"""The API's functions, run in this process against an emulator; every answer is held to the registry of endpoints."""

from __future__ import annotations

import importlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import boto3
import msgspec

from handlers.api.support.answers import PROBLEM_JSON
from handlers.api.support.registry import Operation
from handlers.common.problems import ProblemDetails
from schema.dynamodb import decode
from schema.jobs import KINDS
from schema.problems import TYPE_PREFIX
from schema.templates import fill
from tests.handlers.projects.state_machine import StateMachine
from tests.support.operations import BY_SCRIPT, parameters

REGION = "eu-central-1"
# Of this process alone: others may use the same emulator.
_SUFFIX = uuid.uuid4().hex[:12]
NAMES = {
    "DOCUMENTS_TABLE": f"documents-{_SUFFIX}",
    "DOCUMENTS_BUCKET": f"documents-{_SUFFIX}",
    "COMPANIES_TABLE": f"companies-{_SUFFIX}",
    "OBSERVATIONS_TABLE": f"observations-{_SUFFIX}",
}
# It does nothing, for an hour: the tests play the state machine's part on the table.
DEFINITION = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
ANALYSE = {"kind": "analyse"}
TRANSLATE = {"kind": "translate", "options": {"target": "de", "source": "en"}}


@dataclass
class Response:
    """What an endpoint answered."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The problem's kind, without the prefix all have."""
        return self.json["type"].removeprefix(TYPE_PREFIX)

    @property
    def wrong(self) -> list[str]:
        """The fields that are wrong."""
        return [error["field"] for error in self.json["errors"]]


class Context:
    aws_request_id = "request-1"


@dataclass
class User:
    """Somebody who calls the API."""

    api: Api
    sub: str = field(default_factory=lambda: str(uuid.uuid4()))
    groups: str = "[editor]"

    def __call__(self, script: str, *path: str, **options: Any) -> Response:
        return self.api.call(script, *path, sub=self.sub, groups=self.groups, **options)

    def project(self, **fields: Any) -> str:
        return self.ok("projects_create", body={"name": "Project", **fields})["project"]

    def ok(self, script: str, *path: str, **options: Any) -> Any:
        """Call and expect success; returns what was answered."""
        response = self(script, *path, **options)
        assert response.status < 300, response
        return response.json if response.text else None

    def document(self, project: str, name: str = "text.txt", content: bytes | None = b"Some text.") -> str:
        """Announce a document and, past the form, upload its content."""
        document = self.ok("documents_create", project, body={"name": name})["document"]
        if content is not None:
            key = f"projects/{project}/documents/{document['document']}/{name}"
            self.api.s3.put_object(Bucket=NAMES["DOCUMENTS_BUCKET"], Key=key, Body=content)
        return document["document"]

    def ready(self) -> str:
        """A project with a document."""
        project = self.project()
        self.document(project)
        return project

    def job(self, project: str, body: dict[str, Any] | None = None) -> str:
        return self.ok("jobs_create", project, body=body or ANALYSE)["job"]


SCORES = {"Positive": 0.9, "Negative": 0.05, "Neutral": 0.04, "Mixed": 0.01}


class Comprehend:
    """Finds every text positive, but for those that say what is wrong with them."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def batch_detect_sentiment(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        answer: dict[str, Any] = {"ResultList": [], "ErrorList": []}
        for index, text in enumerate(request["TextList"]):
            if text.isupper():
                answer["ErrorList"].append({"Index": index, "ErrorCode": text, "ErrorMessage": "refused"})
            else:
                answer["ResultList"].append({"Index": index, "Sentiment": "POSITIVE", "SentimentScore": SCORES})
        return answer


class Api:
    """The functions and what they work on."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        options = {"region_name": REGION, "endpoint_url": endpoint}
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.dynamodb, self.s3, self.stepfunctions = (
            boto3.client(service, **options, **keys)  # pyright: ignore[reportArgumentType, reportCallIssue]
            for service in ("dynamodb", "s3", "stepfunctions")
        )
        self._create_tables()
        location: Any = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=NAMES["DOCUMENTS_BUCKET"], CreateBucketConfiguration=location)
        self.s3.put_bucket_versioning(Bucket=NAMES["DOCUMENTS_BUCKET"], VersioningConfiguration={"Status": "Enabled"})
        self.state_machines = {kind: self._state_machine(kind) for kind in KINDS}
        self.modules = self._load()

    def _create_tables(self) -> None:
        keys = ("membership", "user", "project", "project_status", "job")
        self.dynamodb.create_table(
            TableName=NAMES["DOCUMENTS_TABLE"],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", *keys)],
            KeySchema=_keys("pk", "sk"),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-membership",
                    "KeySchema": _keys("membership", "project"),
                    "Projection": _ALL,
                },
                {"IndexName": "by-user", "KeySchema": _keys("user", "project"), "Projection": _ALL},
                {"IndexName": "by-status", "KeySchema": _keys("project_status", "job"), "Projection": _ALL},
            ],
        )
        for name, *attributes in (("COMPANIES_TABLE", "name"), ("OBSERVATIONS_TABLE", "company", "record")):
            self.dynamodb.create_table(
                TableName=NAMES[name],
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in attributes],
                KeySchema=_keys(*attributes),
            )

    def _state_machine(self, name: str) -> str:
        role = "arn:aws:iam::000000000000:role/jobs"
        made = self.stepfunctions.create_state_machine(
            name=f"{name}-{_SUFFIX}", definition=json.dumps(DEFINITION), roleArn=role
        )
        return made["stateMachineArn"]

    def _load(self) -> dict[str, Any]:
        environment = {
            **NAMES,
            "STATE_MACHINES": json.dumps(self.state_machines),
            "VERSION": "1.2.3",
            "DEFAULT_ROLE": "reader",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        modules: dict[str, Any] = {}
        for name, operation in BY_SCRIPT.items():
            role = {"REQUIRED_ROLE": operation.role} if operation.role else {}
            with patch.dict("os.environ", environment | role):
                modules[name] = importlib.import_module(f"handlers.api.{name}")
        modules["sentiment"].comprehend = Comprehend()
        return modules

    def user(self, groups: str = "[editor]") -> User:
        return User(self, groups=groups)

    def call(self, script: str, *path: str, fails: bool = False, **options: Any) -> Response:
        """Call an endpoint as API Gateway does, and check that its answer is one that is documented.

        `fails` says that the test breaks the endpoint: status 500 is expected.
        """
        operation = BY_SCRIPT[script]
        return self.send(script, gateway_event(operation, path, **options), fails)

    def send(self, script: str, event: dict[str, Any], fails: bool = False) -> Response:
        """Call an endpoint with an event."""
        answer = self.modules[script].handler(json.loads(json.dumps(event)), Context())
        answer = json.loads(json.dumps(answer))
        response = Response(answer["statusCode"], answer["headers"], answer["body"])
        _require_documented(BY_SCRIPT[script], response, fails)
        return response

    def item(self, project: str, sk: str) -> dict[str, Any] | None:
        """Read an item of the table."""
        key = {"pk": {"S": f"PROJECT#{project}"}, "sk": {"S": sk}}
        item = self.dynamodb.get_item(TableName=NAMES["DOCUMENTS_TABLE"], Key=key, ConsistentRead=True).get("Item")
        return decode(item) if item else None

    def state_machine(self, project: str, job: str, kind: str = "analyse") -> StateMachine:
        return StateMachine(self.dynamodb, NAMES["DOCUMENTS_TABLE"], project, job, kind, self._execution(job, kind))

    def execution(self, job: str, kind: str = "analyse") -> dict[str, Any]:
        return self.stepfunctions.describe_execution(executionArn=self._execution(job, kind))

    def _execution(self, job: str, kind: str) -> str:
        return self.state_machines[kind].replace(":stateMachine:", ":execution:") + f":{job}"


def gateway_event(
    operation: Operation,
    path: tuple[str, ...],
    sub: str | None = None,
    query: dict[str, str] | None = None,
    body: Any = None,
    headers: dict[str, str] | None = None,
    key: str | None = None,
    groups: str | None = "[editor]",
) -> dict[str, Any]:
    """Make an event of payload format 2.0: what is absent in a request is absent in it."""
    values = dict(zip(parameters(operation), path, strict=True))
    raw_path = fill(operation.described_path, **values)
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    sent = ({"content-type": "application/json"} if text is not None else {}) | (headers or {})
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": operation.route,
        "rawPath": raw_path,
        "headers": sent | ({"idempotency-key": key} if key else {}),
        "requestContext": {"requestId": "gateway-1", "http": {"method": operation.method, "path": raw_path}},
        "isBase64Encoded": False,
    }
    if path:
        event["pathParameters"] = values
    if query:
        event["queryStringParameters"] = query
    if text is not None:
        event["body"] = text
    if sub:
        claims = {"sub": sub} | ({"cognito:groups": groups} if groups is not None else {})
        event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    return event


def _require_documented(operation: Operation, response: Response, fails: bool) -> None:
    if response.status in operation.answers:
        kind = operation.answer_types[response.status]
        if kind is None:
            assert response.text == "", response
        else:
            msgspec.json.decode(response.text, type=kind)
            assert response.headers["content-type"] == "application/json"
        return
    assert response.status in {*operation.problems, 401, 403, 429, 503} | ({500} if fails else set()), (
        operation.script,
        response,
    )
    details = msgspec.json.decode(response.text, type=ProblemDetails)
    assert details.status == response.status
    assert details.title
    assert details.detail
    assert response.headers["content-type"] == PROBLEM_JSON


_ALL: Any = {"ProjectionType": "ALL"}


def _keys(*names: str) -> Any:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]
