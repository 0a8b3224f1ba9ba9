"""ProviderRoles: the function that turns groups of identity providers into roles, beside the API's user pool."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.blocks.access.federation import IdentityProvider
from components.blocks.access.user_pool import SignIn
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.http.lambda_api import LambdaApi
from components.blocks.http.routes import Route
from tests.support.iam_linter import Lint
from tests.support.pulumi_mocks import ACCOUNT, SUFFIX, Evaluation, arn_of, evaluate

POOL = "aws:cognito/userPool:UserPool"
FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
OKTA: dict[str, Any] = {"name": "Okta", "type": "SAML", "metadata_url": "https://example.okta.com/metadata"}
ENTRA: dict[str, Any] = {"name": "Entra", "type": "OIDC", "issuer": "https://login.example.com", "client_id": "nlp"}
GROUPS: dict[str, Any] = {"groups_attribute": "memberOf", "group_roles": {"nlp-editors": "editor"}}
Maker = Callable[[], IdentityProvider]


def declare(*makers: Maker) -> Evaluation:
    def rules() -> SignIn:
        providers = [make() for make in makers]
        return SignIn(callback_urls=["https://app.example.com/"], providers=providers)

    route = Route("GET", "/health", handler="handlers/api/health.py", public=True)
    functions = FunctionDefaults(layers=[])
    return evaluate(lambda: LambdaApi("api", routes=[route], sign_in=rules(), functions=functions) and None)


def oidc(**more: Any) -> Maker:
    """Outputs belong to the evaluation that they are made in."""
    return lambda: IdentityProvider(**ENTRA, client_secret=pulumi.Output.secret("very secret"), **more)


def saml(**more: Any) -> Maker:
    return lambda: IdentityProvider(**OKTA, **more)


def test_groups_become_roles_when_tokens_are_made(lint: Lint) -> None:
    evaluation = declare(saml(**GROUPS), oidc())
    function = evaluation.one(FUNCTION, "api-users-roles").inputs
    assert function["handler"] == "handlers.people.provider_roles.handler"
    assert json.loads(function["environment"]["variables"]["PROVIDER_ROLES"]) == {"Okta": {"nlp-editors": "editor"}}
    assert function["timeout"] == 5
    assert evaluation.one(POOL).inputs["lambdaConfig"] == {
        "preTokenGenerationConfig": {"lambdaArn": arn_of(FUNCTION, "api-users-roles"), "lambdaVersion": "V2_0"}
    }
    assert evaluation.one(PERMISSION, "api-users-roles").inputs == {
        "action": "lambda:InvokeFunction",
        "function": f"api-users-roles{SUFFIX}",
        "principal": "cognito-idp.amazonaws.com",
        "sourceArn": arn_of(POOL, "api-users"),
        "sourceAccount": ACCOUNT,
    }
    policy = evaluation.document("aws:iam/rolePolicy:RolePolicy", "api-users-roles")
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert {action.partition(":")[0] for action in actions} == {"logs", "xray"}
    assert lint(json.dumps(policy)) == []


@pytest.mark.parametrize("providers", [[], [oidc()]])
def test_without_groups_there_is_no_function(providers: list[Maker]) -> None:
    evaluation = declare(*providers)
    assert [one.name for one in evaluation.of(FUNCTION)] == ["api-health"]
    assert "lambdaConfig" not in evaluation.one(POOL).inputs
