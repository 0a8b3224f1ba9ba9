"""Sign-in at another identity provider: its groups give roles, and nothing else that somebody sends does."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
from tests.integration.api_story import claims

CALLBACK = "http://localhost:8501"
VERIFIER = "a-verifier-that-nobody-else-knows-0123456789-abcdef"
MAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
SETTINGS: dict[str, Any] = {
    "api": {
        "callback_urls": [CALLBACK],
        "default_role": "none",
        "identity_providers": [
            {
                "name": "Okta",
                "type": "SAML",
                "metadata_url": "https://okta.example.com/sso",
                "groups_attribute": "memberOf",
                "group_roles": {"nlp-readers": "reader", "nlp-editors": "editor"},
            },
            {
                "name": "Entra",
                "type": "OIDC",
                "issuer": "https://login.example.com",
                "client_id": "nlp",
                "client_secret": "a secret that the deployment passes on",
            },
        ],
    }
}
ASSERTION = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><saml:Assertion><saml:Subject><saml:NameID>{name}</saml:NameID>
</saml:Subject><saml:AttributeStatement>
<saml:Attribute Name="{mail}"><saml:AttributeValue>{name}@example.com</saml:AttributeValue></saml:Attribute>
<saml:Attribute Name="memberOf"><saml:AttributeValue>{groups}</saml:AttributeValue></saml:Attribute>
</saml:AttributeStatement></saml:Assertion></samlp:Response>"""


@pytest.fixture(scope="module")
def federated(stack: LocalStack) -> LocalStack:
    """A deployment beside the first, with identity providers."""
    return deploy_to(stack.aws, SETTINGS)


def sign_in(stack: LocalStack, name: str, groups: str) -> str:
    """Sign in at the provider as a browser does, and return the access token of the web application."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    client = {"client_id": stack.outputs["web_client"], "redirect_uri": CALLBACK}
    asked = {**client, "response_type": "code", "scope": "openid email", "identity_provider": "Okta"}
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    with httpx.Client(base_url=stack.aws.endpoint, timeout=10) as browser:
        sent_away = browser.get("/oauth2/authorize", params=asked)
        provider = urlsplit(sent_away.headers["location"])
        assert provider.netloc == "okta.example.com"
        assertion = ASSERTION.format(name=name, mail=MAIL, groups=groups)
        answer = {
            "SAMLResponse": base64.b64encode(assertion.encode()).decode(),
            "RelayState": parse_qs(provider.query)["RelayState"][0],
        }
        back = browser.post("/saml2/idpresponse", data=answer)
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        exchanged = {**client, "grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        return browser.post("/oauth2/token", data=exchanged).json()["access_token"]


def statuses(stack: LocalStack, token: str) -> tuple[int, int]:
    """What reading and changing the list of companies is answered with."""
    headers, url = {"authorization": f"Bearer {token}"}, stack.outputs["api_url"]
    read = httpx.get(f"{url}/companies", headers=headers, timeout=35)
    changed = httpx.delete(f"{url}/companies/Nothing", headers=headers, timeout=35)
    return read.status_code, changed.status_code


@pytest.mark.parametrize(
    ("name", "groups", "expected"),
    [
        ("eva", "nlp-editors", (200, 404)),
        ("ron", "nlp-readers", (200, 403)),
        ("bob", "[others, nlp-editors]", (200, 404)),
        ("sly", "admin", (403, 403)),
        ("tim", "not nlp-editors", (403, 403)),
        ("zoe", "", (403, 403)),
    ],
)
def test_groups_of_the_provider_give_roles(
    federated: LocalStack, name: str, groups: str, expected: tuple[int, int]
) -> None:
    token = sign_in(federated, name, groups)
    assert claims(token)["username"] == f"Okta_{name}"
    assert statuses(federated, token) == expected


def test_a_group_that_is_left_counts_no_more_at_the_next_sign_in(federated: LocalStack) -> None:
    assert statuses(federated, sign_in(federated, "max", "nlp-editors")) == (200, 404)
    assert statuses(federated, sign_in(federated, "max", "nlp-readers")) == (200, 403)


def test_people_with_a_password_cannot_write_groups_of_their_own(federated: LocalStack) -> None:
    user = ApiUser(federated, "native@example.com", role=None)
    cognito = federated.aws.client("cognito-idp")
    cognito.admin_update_user_attributes(
        UserPoolId=federated.outputs["user_pool"],
        Username=user.email,
        UserAttributes=[{"Name": "custom:groups", "Value": "nlp-editors"}],
    )
    assert statuses(federated, user.sign_in()) == (403, 403)
    user.join("reader")
    assert statuses(federated, user.sign_in()) == (200, 403)


def test_the_providers_are_as_the_settings_say(federated: LocalStack) -> None:
    cognito, pool = federated.aws.client("cognito-idp"), federated.outputs["user_pool"]
    entra = cognito.describe_identity_provider(UserPoolId=pool, ProviderName="Entra")["IdentityProvider"]
    assert entra["ProviderDetails"]["client_secret"] == "a secret that the deployment passes on"
    assert entra["AttributeMapping"] == {"email": "email", "username": "sub"}
    client = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=federated.outputs["web_client"])
    assert client["UserPoolClient"]["SupportedIdentityProviders"] == ["COGNITO", "Okta", "Entra"]
