"""Who may use which endpoint: the role that the token names, as API Gateway passes it on."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from handlers.api.support.registry import OPERATIONS, Operation
from handlers.api.support.requests import Request
from handlers.api.support.roles import RoleCheck, claimed_values
from handlers.common.ids import new_id
from handlers.common.problems import Problem
from schema.roles import COGNITO_CLAIM, ROLES
from tests.handlers.api.harness import Api
from tests.support.operations import parameters

PROTECTED = [operation for operation in OPERATIONS if not operation.public]
ISSUER = "https://login.example.com/"


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def token(claims: dict[str, Any]) -> str:
    return f"{encoded({'alg': 'RS256'})}.{encoded(claims)}.c2lnbmF0dXJl"


ADMIN = token({"sub": "ann", "iss": ISSUER, "groups": ["admin"]})


def passed_on(value: Any) -> str:
    """Write a claim as API Gateway does."""
    return f"[{' '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def request(claims: dict[str, Any], authorization: str = "") -> Request:
    """A request with a token; claims that are lists are passed on as text."""
    claims = {"sub": "ann", "iss": ISSUER, **claims}
    return Request(
        {
            "routeKey": "POST /companies",
            "headers": {"authorization": authorization or f"Bearer {token(claims)}"},
            "requestContext": {
                "authorizer": {"jwt": {"claims": {name: passed_on(value) for name, value in claims.items()}}}
            },
        }
    )


@pytest.mark.parametrize("operation", PROTECTED, ids=lambda one: one.script)
def test_every_endpoint_asks_for_its_role(api: Api, operation: Operation) -> None:
    ids = [new_id() for _ in parameters(operation)]
    assert operation.role
    for groups in (None, "[reader]", "[editor]", "[admin]", "[stranger]", "[]", "[Admin]", "[admins editors]"):
        answer = api.call(operation.script, *ids, sub="somebody", groups=groups, body={})
        # The harness has `reader` as the default role.
        role = next((role for role in reversed(ROLES) if groups == f"[{role}]"), "reader")
        if ROLES.index(role) < ROLES.index(operation.role):
            assert (answer.status, answer.problem) == (403, "role-needed"), groups
            assert answer.json["required_role"] == operation.role
            assert f"the role {operation.role}" in answer.json["detail"]
        else:
            assert answer.status != 403 or answer.problem != "role-needed", groups


def test_who_is_not_signed_in_is_told_so_first(api: Api) -> None:
    assert api.call("companies_change", body={}).problem == "not-signed-in"


def role_of(made: Request, **settings: str) -> str:
    return RoleCheck({"REQUIRED_ROLE": "admin", "DEFAULT_ROLE": "none", **settings}).role(made)


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["admin"], "admin"),
        (["reader", "editor"], "editor"),
        (["eu-central-1_abc_Okta", "editor"], "editor"),
        (["editor]", "[editor", "[editor]", "ed", "editor,admin", "Editor", "editor\u00a0"], "none"),
        ([], "none"),
        ("editor", "editor"),
        ("", "none"),
        ("editor admin", "none"),
    ],
)
def test_groups_of_the_user_pool(groups: Any, role: str) -> None:
    assert role_of(request({COGNITO_CLAIM: groups})) == role


def test_a_list_counts_as_it_is() -> None:
    made = Request(
        {
            "requestContext": {
                "authorizer": {"jwt": {"claims": {"sub": "ann", COGNITO_CLAIM: ["x editor", 7, "reader"]}}}
            }
        }
    )
    assert role_of(made) == "reader"


CLAIM = {"ROLE_CLAIM": "https://example.com/groups"}


@pytest.mark.parametrize(
    ("value", "role"),
    [
        (["editor"], "editor"),
        (["not editor"], "none"),
        (["x", "editor admin"], "none"),
        (["[editor]"], "none"),
        ("editor", "editor"),
        ("[editor]", "none"),
        ("[editor admin]", "none"),
        ("editor admin", "none"),
        ([["editor"]], "none"),
        ({"editor": True}, "none"),
        (True, "none"),
        (None, "none"),
    ],
)
def test_values_of_another_issuer_are_not_split(value: Any, role: str) -> None:
    assert role_of(request({CLAIM["ROLE_CLAIM"]: value}), **CLAIM) == role


def test_values_stand_for_roles() -> None:
    values = json.dumps({"NLP Editors": "editor", "41f": "admin"})
    for given, role in (
        (["NLP Editors"], "editor"),
        (["NLP", "Editors"], "none"),
        (["editor"], "none"),
        ("41f", "admin"),
    ):
        assert role_of(request({"groups": given}), ROLE_CLAIM="groups", ROLE_VALUES=values) == role


def test_scopes_are_one_text_with_blanks() -> None:
    made = request({"scope": "openid nlp.editor"})
    assert claimed_values(made, "scope") == ["openid", "nlp.editor"]
    assert role_of(made, ROLE_CLAIM="scope", ROLE_VALUES='{"nlp.editor": "editor"}') == "editor"


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer ",
        "Bearer not-a-token",
        "Basic YW5uOnNlY3JldA==",
        f"Bearer {token({'sub': 'bob', 'iss': ISSUER, 'groups': ['admin']})}",
        f"Bearer {token({'sub': 'ann', 'iss': 'https://evil.example.com/', 'groups': ['admin']})}",
        f"Bearer {token({'sub': 'ann', 'iss': ISSUER, 'jti': '1', 'groups': ['admin']})}",
        f"Bearer {token({'sub': 'ann', 'iss': ISSUER})},Bearer {ADMIN}",
        f"Bearer {ADMIN} {ADMIN}",
        f"Bearer {encoded({})}.{encoded(['admin'])}.{encoded({})}",
        f"Bearer {encoded({})}.AAAA.{encoded({})}",
    ],
)
def test_only_the_token_that_was_checked_counts(authorization: str) -> None:
    assert role_of(request({"groups": ["x admin"]}, authorization), ROLE_CLAIM="groups") == "none"


def test_without_a_claim_all_have_the_default_role() -> None:
    assert role_of(request({COGNITO_CLAIM: ["admin"], "": ["admin"]}), ROLE_CLAIM="") == "none"
    assert role_of(request({COGNITO_CLAIM: ["admin"]}), ROLE_CLAIM="", DEFAULT_ROLE="reader") == "reader"


def test_an_endpoint_without_a_declared_role_is_for_administrators() -> None:
    with pytest.raises(Problem, match="the role admin"):
        RoleCheck({"DEFAULT_ROLE": "editor"})(request({COGNITO_CLAIM: ["editor"]}))
    RoleCheck({})(request({COGNITO_CLAIM: ["admin"]}))
