"""The local and the production stack on the real engine, each from the first preview to its end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.engine.project import copy_project
from tests.engine.provider.server import VERSION
from tests.engine.stacks import Engine, EngineError, Stack
from tests.engine.state_checks import questions, secrets_in

# Types of what production protects, and how many of them there are.
PROTECTED = {
    "aws:cognito/userPool:UserPool": 1,
    "aws:dynamodb/table:Table": 3,
    "aws:s3/bucket:Bucket": 2,
}
PROVIDER = f"default_{VERSION.replace('.', '_')}"
# The embedded AWS takes any credentials, so that these are none: Pulumi.local.yaml has them for everybody to read.
LOCAL_CREDENTIALS = [
    f"[{PROVIDER}].{place}.{key}" for place in ("inputs", "outputs") for key in ("accessKey", "secretKey")
]


def opened(engine: Engine, name: str, folder: Path) -> Stack:
    return engine.stack(name, name, copy_project(folder / "project"))


def test_the_local_stack_lives_and_ends(engine: Engine, tmp_path: Path) -> None:
    stack = opened(engine, "local", tmp_path)
    preview = stack.preview()
    assert questions(preview.requests) == ["Configure with accessKey, secretKey"]
    assert Counter(stack.up().steps) == Counter(preview.steps)
    assert stack.up().steps == []
    assert secrets_in(stack.deployment()) == LOCAL_CREDENTIALS
    stack.destroy()
    assert stack.state() == []


def test_production_lives_and_its_protected_data_survives_the_end(engine: Engine, tmp_path: Path) -> None:
    stack = opened(engine, "prod", tmp_path)
    preview = stack.preview()
    assert questions(preview.requests) == []
    assert Counter(stack.up().steps) == Counter(preview.steps)
    assert stack.up().steps == []
    assert secrets_in(stack.deployment()) == []
    assert Counter(one["type"] for one in stack.state() if one.get("protect")) == PROTECTED
    with pytest.raises(EngineError, match="protected"):
        stack.destroy()
    there = Counter(resource.kind for resource in stack.account().resources())
    assert {kind: there[kind] for kind in PROTECTED} == PROTECTED
    assert Counter(one["type"] for one in stack.state() if one.get("protect")) == PROTECTED
