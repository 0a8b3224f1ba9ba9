"""Who may call the HTTP API: nobody without a token that is whole, in date, and made for it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from handlers.api.support.registry import OPERATIONS, Operation
from handlers.common.ids import new_id
from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack
from schema.srp import begin_sign_in
from tests.integration.api_story import assert_problem, claims, example, path_of, subject

PROTECTED = [operation for operation in OPERATIONS if not operation.public]
PROOF_FLOW = "ALLOW_USER_SRP_AUTH"
# What a client keeps when its tokens' lifetime changes.
CLIENT_SETTINGS = (
    "ClientName",
    "RefreshTokenValidity",
    "AccessTokenValidity",
    "IdTokenValidity",
    "TokenValidityUnits",
    "ExplicitAuthFlows",
    "AllowedOAuthFlowsUserPoolClient",
    "PreventUserExistenceErrors",
    "EnableTokenRevocation",
)


class SignIns:
    """Tokens of all sorts for one person."""

    def __init__(self, stack: LocalStack, user: ApiUser) -> None:
        self._cognito = stack.aws.client("cognito-idp")
        self._pool, self._client = stack.outputs["user_pool"], stack.outputs["command_line_client"]
        self._user = user

    def tokens(self, client: str | None = None, pool: str | None = None) -> dict[str, Any]:
        answer = begin_sign_in(
            self._cognito,
            client_id=client or self._client,
            pool=pool or self._pool,
            email=self._user.email,
            password=self._user.password,
        )
        return answer["AuthenticationResult"]

    def of_another_client(self) -> str:
        """Make a token of the same pool for an application that the API does not know."""
        made = self._cognito.create_user_pool_client(
            UserPoolId=self._pool, ClientName="stranger", ExplicitAuthFlows=[PROOF_FLOW]
        )
        return self.tokens(made["UserPoolClient"]["ClientId"])["AccessToken"]

    def of_another_pool(self) -> str:
        """Make a token of a pool with a person of the same address and password."""
        pool = self._cognito.create_user_pool(PoolName="elsewhere")["UserPool"]["Id"]
        client = self._cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="theirs", ExplicitAuthFlows=[PROOF_FLOW]
        )["UserPoolClient"]["ClientId"]
        self._cognito.admin_create_user(UserPoolId=pool, Username=self._user.email, MessageAction="SUPPRESS")
        self._cognito.admin_set_user_password(
            UserPoolId=pool, Username=self._user.email, Password=self._user.password, Permanent=True
        )
        return self.tokens(client, pool)["AccessToken"]

    def expired(self) -> str:
        """Make a token that was good for a second."""
        with self._short_lived():
            token = self.tokens()["AccessToken"]
        time.sleep(max(0.0, claims(token)["exp"] + 1 - time.time()))
        return token

    @contextmanager
    def _short_lived(self) -> Iterator[None]:
        described = self._cognito.describe_user_pool_client(UserPoolId=self._pool, ClientId=self._client)
        kept = {name: value for name, value in described["UserPoolClient"].items() if name in CLIENT_SETTINGS}
        units = {**kept["TokenValidityUnits"], "AccessToken": "seconds"}
        self._update({**kept, "AccessTokenValidity": 1, "TokenValidityUnits": units})
        try:
            yield
        finally:
            self._update(kept)

    def _update(self, settings: dict[str, Any]) -> None:
        self._cognito.update_user_pool_client(UserPoolId=self._pool, ClientId=self._client, **settings)


def with_claims(token: str, **changes: Any) -> str:
    """Change claims of a token, and keep the signature of the original."""
    header, _, signature = token.split(".")
    return f"{header}.{encoded({**claims(token), **changes})}.{signature}"


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def bad_headers(stack: LocalStack, ann: ApiUser, bob: ApiUser) -> dict[str, dict[str, str]]:
    """Headers that let nobody in, by what is wrong with them."""
    sign_ins = SignIns(stack, ann)
    header, payload, signature = ann.token.split(".")
    tokens = {
        "malformed": "not-a-token",
        "empty": "..",
        "somebody else's name": with_claims(ann.token, sub=subject(bob)),
        "never ending": with_claims(ann.token, exp=int(time.time()) + 10**6),
        "signature cut off": f"{header}.{payload}.",
        "signature of another": f"{header}.{payload}.{bob.token.split('.')[2]}",
        "signature reversed": f"{header}.{payload}.{signature[::-1]}",
        "without algorithm": f"{encoded({'alg': 'none'})}.{payload}.",
        "another client's": sign_ins.of_another_client(),
        "another pool's": sign_ins.of_another_pool(),
        "expired": sign_ins.expired(),
    }
    others = {"none": {}, "password": {"authorization": f"Basic {encoded(f'{ann.email}:{ann.password}')}"}}
    return others | {kind: {"authorization": f"Bearer {token}"} for kind, token in tokens.items()}


@pytest.fixture(scope="module")
def other_kinds(stack: LocalStack, ann: ApiUser) -> dict[str, str]:
    tokens = SignIns(stack, ann).tokens()
    return {kind: tokens[kind] for kind in ("IdToken", "RefreshToken")}


def send(stack: LocalStack, operation: Operation, headers: dict[str, str]) -> httpx.Response:
    body = example(operation) if operation.request else None
    url = stack.outputs["api_url"] + path_of(operation, new_id())
    return httpx.request(operation.method, url, json=body, headers=headers, timeout=35)


@pytest.mark.parametrize("operation", PROTECTED, ids=lambda one: one.script)
def test_a_bad_token_opens_nothing(
    stack: LocalStack, ann: ApiUser, bad_headers: dict[str, dict[str, str]], operation: Operation
) -> None:
    for kind, headers in bad_headers.items():
        answer = send(stack, operation, headers)
        assert (kind, answer.status_code, answer.json()) == (kind, 401, {"message": "Unauthorized"})
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert send(stack, operation, {"authorization": f"Bearer {ann.token}"}).status_code != 401


@pytest.mark.parametrize("operation", PROTECTED, ids=lambda one: one.script)
def test_another_kind_of_token_opens_nothing(
    stack: LocalStack, other_kinds: dict[str, str], operation: Operation
) -> None:
    """API Gateway lets an ID token through, since it is for the same client."""
    for token in other_kinds.values():
        assert_problem(send(stack, operation, {"authorization": f"Bearer {token}"}), 401, "not-signed-in")


def test_the_public_needs_no_token(stack: LocalStack, bad_headers: dict[str, dict[str, str]]) -> None:
    public = {operation.script: operation for operation in OPERATIONS if operation.public}
    assert set(public) == {"health", "openapi"}
    for headers in bad_headers.values():
        health = send(stack, public["health"], headers)
        assert (health.status_code, health.json()["status"]) == (200, "ok")
    described = send(stack, public["openapi"], {})
    assert described.status_code == 200
    assert described.json()["openapi"].startswith("3.1")


def test_who_asks_is_the_token_and_nothing_of_the_request(ann: ApiUser, bob: ApiUser) -> None:
    pretended = {name: subject(bob) for name in ("x-user", "x-amzn-user", "x-forwarded-user", "sub", "x-amz-sub")}

    made = ann.request("POST", f"/projects?sub={subject(bob)}", {"name": "Mine"}, pretended)

    assert (made.status_code, made.json()["owner"]) == (201, subject(ann))
    refused = ann.request("POST", "/projects", {"name": "Theirs", "owner": subject(bob)})
    assert_problem(refused, 422, "invalid-fields", "owner")
    assert made.json()["project"] not in [one["project"] for one in bob.call("GET", "/projects?limit=100")["projects"]]


def test_a_renewed_token_is_good(stack: LocalStack, ann: ApiUser) -> None:
    cognito = stack.aws.client("cognito-idp")
    renewed = cognito.get_tokens_from_refresh_token(
        ClientId=stack.outputs["command_line_client"], RefreshToken=SignIns(stack, ann).tokens()["RefreshToken"]
    )["AuthenticationResult"]["AccessToken"]

    answer = httpx.get(f"{stack.outputs['api_url']}/projects", headers={"authorization": f"Bearer {renewed}"})

    assert answer.status_code == 200
    assert claims(renewed)["sub"] == subject(ann)
