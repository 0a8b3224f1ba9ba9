"""The local and the production stack on the real engine, each from the first preview to its end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from pulumi.automation import ConfigValue

from tests.engine.project import copy_project
from tests.engine.provider.inputs import SIGNATURE
from tests.engine.provider.server import VERSION
from tests.engine.stacks import Engine, EngineError, Stack
from tests.engine.state_checks import questions, secrets_in

# Types of what production protects, and how many of them there are.
PROTECTED = {
    "aws:cognito/userPool:UserPool": 1,
    "aws:dynamodb/table:Table": 4,
    "aws:s3/bucket:Bucket": 2,
}
PROVIDER = f"default_{VERSION.replace('.', '_')}"
# The embedded AWS takes any credentials, so that these are none: Pulumi.local.yaml has them for everybody to read.
LOCAL_CREDENTIALS = [
    f"[{PROVIDER}].{place}.{key}" for place in ("inputs", "outputs") for key in ("accessKey", "secretKey")
]


SIGN_IN = "cloud-nlp:api"
CLIENT_SECRET = "a secret that nobody else may read"


def opened(engine: Engine, settings: str, folder: Path, name: str = "") -> Stack:
    return engine.stack(name or settings, settings, copy_project(folder / "project"))


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


def test_the_secret_of_an_identity_provider_is_encrypted_wherever_it_is_kept(engine: Engine, tmp_path: Path) -> None:
    stack = opened(engine, "dev", tmp_path, "federated")
    provider = {"name": "Entra", "type": "OIDC", "issuer": "https://login.example.com", "client_id": "nlp"}
    for name, value in provider.items():
        stack.handle.set_config(f"{SIGN_IN}.identity_providers[0].{name}", ConfigValue(value), path=True)
    stack.handle.set_config(f"{SIGN_IN}.callback_urls[0]", ConfigValue("https://app.example.com/"), path=True)
    secret = f"{SIGN_IN}.identity_providers[0].client_secret"
    stack.handle.set_config(secret, ConfigValue(CLIENT_SECRET), path=True)
    with pytest.raises(EngineError, match=r"client_secret: \(hidden\); expected an encrypted value"):
        stack.preview()

    stack.handle.set_config(secret, ConfigValue(CLIENT_SECRET, secret=True), path=True)
    stack.up()
    [made] = [one for one in stack.state() if one["type"] == "aws:cognito/identityProvider:IdentityProvider"]
    assert made["inputs"]["providerDetails"]["client_secret"][SIGNATURE]
    assert made["outputs"]["providerDetails"][SIGNATURE]
    kept = [path for folder in (engine.home / "state", tmp_path) for path in folder.rglob("*") if path.is_file()]
    states = [path for path in kept if "federated" in path.name]
    assert states
    assert [path for path in kept if CLIENT_SECRET.encode() in path.read_bytes()] == []
    assert stack.up().steps == []
