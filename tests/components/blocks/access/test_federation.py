"""Federation: the user pool's identity providers, and the function that turns their groups into roles."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components.blocks.access.federation import IdentityProvider
from components.blocks.access.user_pool import SignIn, UserPool
from components.blocks.compute.function_defaults import FunctionDefaults
from tests.support.iam_linter import Lint
from tests.support.pulumi_mocks import ACCOUNT, POOL_ID, SUFFIX, Evaluation, arn_of, evaluate

POOL = "aws:cognito/userPool:UserPool"
CLIENT = "aws:cognito/userPoolClient:UserPoolClient"
PROVIDER = "aws:cognito/identityProvider:IdentityProvider"
FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
EMAIL_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
OKTA: dict[str, Any] = {"name": "Okta", "type": "SAML", "metadata_url": "https://example.okta.com/metadata"}
ENTRA: dict[str, Any] = {"name": "Entra", "type": "OIDC", "issuer": "https://login.example.com", "client_id": "nlp"}
GROUPS: dict[str, Any] = {"groups_attribute": "memberOf", "group_roles": {"nlp-editors": "editor"}}


def declare(*providers: IdentityProvider, preview: bool = False, **sign_in: Any) -> Evaluation:
    rules = SignIn(callback_urls=["https://app.example.com/"], providers=providers, **sign_in)
    functions = FunctionDefaults(layers=[])
    return evaluate(lambda: UserPool("users", sign_in=rules, functions=functions) and None, preview=preview)


def oidc(**more: Any) -> IdentityProvider:
    return IdentityProvider(**ENTRA, client_secret=pulumi.Output.secret("very secret"), **more)


def test_a_saml_provider_has_its_metadata_and_attributes() -> None:
    assert declare(IdentityProvider(**OKTA, attributes={"name": "displayName"}, **GROUPS)).one(PROVIDER).inputs == {
        "userPoolId": POOL_ID,
        "providerName": "Okta",
        "providerType": "SAML",
        "providerDetails": {"MetadataURL": "https://example.okta.com/metadata"},
        "attributeMapping": {"email": EMAIL_CLAIM, "name": "displayName", "custom:groups": "memberOf"},
    }


def test_an_openid_connect_provider_has_its_issuer_and_credentials() -> None:
    inputs = declare(oidc(attributes={"email": "mail"})).one(PROVIDER, "users-Entra").inputs
    assert inputs["providerType"] == "OIDC"
    assert inputs["attributeMapping"] == {"email": "mail", "username": "sub"}
    assert inputs["providerDetails"] == {
        "oidc_issuer": "https://login.example.com",
        "client_id": "nlp",
        "client_secret": "very secret",
        "authorize_scopes": "openid email profile",
        "attributes_request_method": "GET",
    }


def test_the_secret_is_encrypted_in_the_state() -> None:
    """What is made of a secret output is one, too, and so is what AWS answers."""
    assert evaluate(lambda: pulumi.Output.from_input(oidc().details()).is_secret()).result is True
    assert evaluate(lambda: pulumi.Output.from_input(IdentityProvider(**OKTA).details()).is_secret()).result is False


def test_web_applications_offer_the_providers_and_can_renew_what_they_tell() -> None:
    evaluation = declare(IdentityProvider(**OKTA, **GROUPS), oidc(attributes={"name": "name"}))
    web = evaluation.one(CLIENT, "users-web")
    assert web.inputs["supportedIdentityProviders"] == ["COGNITO", "Okta", "Entra"]
    assert web.inputs["writeAttributes"] == ["custom:groups", "email", "name"]
    assert {one.name for one in web.depends_on if one.type == PROVIDER} == {"users-Okta", "users-Entra"}
    tool = evaluation.one(CLIENT, "users-command-line").inputs
    assert tool["writeAttributes"] == ["email"], "users must not write their own groups"


def test_people_of_providers_sign_in_daily_unless_the_stack_says_otherwise() -> None:
    for days, expected in ((None, 1), (7, 7)):
        clients = declare(oidc(), refresh_days=days).of(CLIENT)
        assert {one.inputs["refreshTokenValidity"] for one in clients} == {expected}


def test_groups_become_roles_when_tokens_are_made(lint: Lint) -> None:
    evaluation = declare(IdentityProvider(**OKTA, **GROUPS), oidc())
    function = evaluation.one(FUNCTION, "users-roles").inputs
    assert function["handler"] == "handlers.people.provider_roles.handler"
    assert json.loads(function["environment"]["variables"]["PROVIDER_ROLES"]) == {"Okta": {"nlp-editors": "editor"}}
    assert function["timeout"] == 5
    assert evaluation.one(POOL).inputs["lambdaConfig"] == {
        "preTokenGenerationConfig": {"lambdaArn": arn_of(FUNCTION, "users-roles"), "lambdaVersion": "V2_0"}
    }
    assert evaluation.one(PERMISSION, "users-roles").inputs == {
        "action": "lambda:InvokeFunction",
        "function": f"users-roles{SUFFIX}",
        "principal": "cognito-idp.amazonaws.com",
        "sourceArn": arn_of(POOL, "users"),
        "sourceAccount": ACCOUNT,
    }
    policy = evaluation.document("aws:iam/rolePolicy:RolePolicy", "users-roles")
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert {action.partition(":")[0] for action in actions} == {"logs", "xray"}
    assert lint(json.dumps(policy)) == []


@pytest.mark.parametrize("providers", [[], [oidc()]])
def test_without_groups_there_is_no_function(providers: list[IdentityProvider]) -> None:
    evaluation = declare(*providers)
    assert evaluation.of(FUNCTION) == []
    assert "lambdaConfig" not in evaluation.one(POOL).inputs


def test_preview_declares_the_same_resources() -> None:
    providers = (IdentityProvider(**OKTA, **GROUPS), oidc())
    assert [repr(one) for one in declare(*providers, preview=True).resources] == [
        repr(one) for one in declare(*providers).resources
    ]
