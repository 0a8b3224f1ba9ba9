"""What counts as a secret in a state, and as a question to AWS; needs no engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.provider.account import Request
from tests.engine.state_checks import questions, secrets_in

SIGNATURE = "4dabf18193072939515e22adb298388d"
QUEUE = "urn:pulumi:dev::cloud-nlp::aws:sqs/queue:Queue::work"


def found(**inputs: Any) -> list[str]:
    return secrets_in({"resources": [{"urn": QUEUE, "inputs": inputs}]})


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"a": {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}}, "a"),
        ({"clientSecret": "x"}, "clientSecret"),
        ({"environment": {"variables": {"API_KEY": "x"}}}, "environment.variables.API_KEY"),
        ({"variables": '{"db_password": "x"}'}, "variables.db_password"),
        ({"a": "AKIAABCDEFGHIJKLMNOP"}, "a"),
        ({"a": "Bearer eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.x"}, "a"),
        ({"a": ["https://user:word@example.com/"]}, "a[0]"),
        ({"a": "-----BEGIN RSA PRIVATE KEY-----"}, "a"),
    ],
)
def test_secrets_are_found(inputs: dict[str, Any], path: str) -> None:
    assert found(**inputs) == [f"[work].inputs.{path}"]


@pytest.mark.parametrize(
    "inputs",
    [
        {"tokenValidityUnits": {"accessToken": "minutes"}},
        {"clientSecret": ""},
        {"skipCredentialsValidation": "true"},
        {"generateSecret": False},
        {"url": "https://example.com/a:b@c"},
        {"queueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/work"},
    ],
)
def test_what_is_no_secret_is_let_through(inputs: dict[str, Any]) -> None:
    assert found(**inputs) == []


@pytest.mark.parametrize(
    ("request_", "question"),
    [
        (Request("Invoke", inputs={"token": "aws:index/getCallerIdentity:x"}), "Invoke aws:index/getCallerIdentity:x"),
        (Request("Read", QUEUE, "work"), f"Read {QUEUE}"),
        (Request("Create", QUEUE, "work"), f"Create {QUEUE}"),
        (Request("Configure", inputs={"region": "x", "profile": "x"}), "Configure with profile"),
    ],
)
def test_questions_are_found(request_: Request, question: str) -> None:
    assert questions([request_]) == [question]


def test_a_preview_as_it_should_be_has_none() -> None:
    assert questions([Request("Configure", inputs={"region": "x"}), Request("Create", QUEUE, preview=True)]) == []
