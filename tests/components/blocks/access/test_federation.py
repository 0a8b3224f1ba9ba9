"""Federation: the user pool's identity providers, and what people who sign in there bring along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime import rpc

from components.blocks.access.federation import IdentityProvider
from components.blocks.access.user_pool import SignIn, UserPool
from tests.support.pulumi_mocks import POOL_ID, Evaluation, evaluate

CLIENT = "aws:cognito/userPoolClient:UserPoolClient"
PROVIDER = "aws:cognito/identityProvider:IdentityProvider"
EMAIL_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
OKTA: dict[str, Any] = {"name": "Okta", "type": "SAML", "metadata_url": "https://example.okta.com/metadata"}
ENTRA: dict[str, Any] = {"name": "Entra", "type": "OIDC", "issuer": "https://login.example.com", "client_id": "nlp"}
GROUPS: dict[str, Any] = {"groups_attribute": "memberOf", "group_roles": {"nlp-editors": "editor"}}
Maker = Callable[[], IdentityProvider]


def declare(*makers: Maker, preview: bool = False, **sign_in: Any) -> Evaluation:
    def rules() -> SignIn:
        providers = [make() for make in makers]
        return SignIn(callback_urls=["https://app.example.com/"], providers=providers, **sign_in)

    return evaluate(lambda: UserPool("users", sign_in=rules()) and None, preview=preview)


def oidc(**more: Any) -> Maker:
    """Outputs belong to the evaluation that they are made in."""
    return lambda: IdentityProvider(**ENTRA, client_secret=pulumi.Output.secret("very secret"), **more)


def saml(**more: Any) -> Maker:
    return lambda: IdentityProvider(**OKTA, **more)


def test_a_saml_provider_has_its_metadata_and_attributes() -> None:
    assert declare(saml(attributes={"name": "displayName"}, **GROUPS)).one(PROVIDER).inputs == {
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
    assert unsealed(inputs["providerDetails"]) == {
        "oidc_issuer": "https://login.example.com",
        "client_id": "nlp",
        "client_secret": "very secret",
        "authorize_scopes": "openid email profile",
        "attributes_request_method": "GET",
    }


def unsealed(secret: Any) -> Any:
    """Open what the engine gets as a secret, and encrypts in the state."""
    assert rpc.is_rpc_secret(secret)
    return rpc.unwrap_rpc_secret(secret)


def test_the_secret_is_encrypted_in_the_state() -> None:
    evaluation = declare(oidc(), saml())
    assert rpc.is_rpc_secret(evaluation.one(PROVIDER, "users-Entra").inputs["providerDetails"])
    others = [one.inputs for one in evaluation.resources if one.name != "users-Entra"]
    assert "very secret" not in str(others)


def test_web_applications_offer_the_providers_and_can_renew_what_they_tell() -> None:
    evaluation = declare(saml(**GROUPS), oidc(attributes={"name": "name"}))
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


def test_preview_declares_the_same_resources() -> None:
    providers = (saml(**GROUPS), oidc())
    assert [repr(one) for one in declare(*providers, preview=True).resources] == [
        repr(one) for one in declare(*providers).resources
    ]
