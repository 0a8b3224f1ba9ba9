"""Settings of the sign-in: roles, identity providers and their secrets, mail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from settings import Settings, SettingsError, parse_settings
from tests.test_settings import mistakes, parse

OKTA: dict[str, Any] = {"name": "Okta", "type": "SAML", "metadata_url": "https://example.okta.com/metadata"}
ENTRA: dict[str, Any] = {"name": "Entra", "type": "OIDC", "issuer": "https://x.yz", "client_id": "i"}
PAGE = {"callback_urls": ["https://app.example.com/"]}


def parse_secret(**api: Any) -> Settings:
    return parse_settings({"api": json.dumps({**PAGE, **api})}, "dev", secret_keys=["api"])


def test_identity_providers_are_taken_over() -> None:
    groups = {"groups_attribute": "memberOf", "group_roles": {"nlp-editors": "editor"}}
    providers = parse_secret(identity_providers=[OKTA | groups, ENTRA | {"client_secret": "topsecret"}])
    okta, entra = providers.api.identity_providers
    assert okta.given() == OKTA | groups
    assert entra.client_secret is not None
    assert entra.client_secret.get_secret_value() == "topsecret"
    assert "topsecret" not in repr(providers)


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        ({"identity_providers": [ENTRA]}, "[0].client_secret: not set; expected a value, as type is OIDC"),
        ({"identity_providers": [OKTA | {"issuer": "https://x.yz"}]}, '[0].issuer: "https://x.yz"; expected no value'),
        ({"identity_providers": [{"name": "Okta", "type": "SAML"}]}, "[0].metadata_url: not set; expected a value"),
        (
            {"identity_providers": [OKTA | {"metadata_url": "http://x.yz"}]},
            "expected an address that starts with https",
        ),
        ({"identity_providers": [OKTA | {"groups_attribute": "g"}]}, "[0].group_roles: {}; expected at least one"),
        ({"identity_providers": [OKTA | {"group_roles": {"g": "editor"}}]}, "expected groups_attribute with it"),
        (
            {"identity_providers": [OKTA | {"groups_attribute": "g", "group_roles": {"a,b": "editor"}}]},
            "at most 80 letters",
        ),
        (
            {"identity_providers": [OKTA | {"groups_attribute": "g", "group_roles": {"a": "owner"}}]},
            "each with reader, editor or admin",
        ),
        ({"identity_providers": [OKTA, OKTA | {"name": "okta"}]}, "expected each name once"),
        ({"identity_providers": [OKTA], "callback_urls": []}, "expected api.callback_urls with it"),
        (
            {"identity_providers": [OKTA], "issuer": "https://x.yz", "audience": ["a"]},
            "expected none, as api.issuer is set",
        ),
    ],
)
def test_mistakes_in_identity_providers(api: dict[str, Any], expected: str) -> None:
    assert expected in "\n".join(mistakes(api=PAGE | api))


@pytest.mark.parametrize(
    "providers",
    [
        [ENTRA | {"client_secret": "topsecret"}],
        [OKTA | {"client_secret": "topsecret"}],
        [ENTRA | {"client_secret": ["topsecret"]}],
        {"Entra": ENTRA | {"client_secret": "topsecret"}},
        "topsecret",
        [OKTA, OKTA | {"note": "topsecret"}],
        [ENTRA | {"client_secret": "topsecret"}, ENTRA | {"client_secret": "topsecret"}],
    ],
)
@pytest.mark.parametrize("secret_keys", [[], ["api"]])
def test_mistakes_do_not_show_secrets(providers: Any, secret_keys: list[str]) -> None:
    config = {"api": json.dumps({**PAGE, "identity_providers": providers})}
    try:
        shown = repr(parse_settings(config, "dev", secret_keys=secret_keys))
    except SettingsError as error:
        shown = str(error)
    assert "topsecret" not in shown


def test_a_secret_has_to_be_encrypted_but_on_this_machine() -> None:
    providers = [ENTRA | {"client_secret": "topsecret"}]
    [line] = mistakes(api={**PAGE, "identity_providers": providers})
    assert (
        "client_secret: (hidden); expected an encrypted value, as pulumi config set --secret --path writes it" in line
    )
    config = {"api": json.dumps({**PAGE, "identity_providers": providers})}
    assert parse_settings(config, "dev", on_this_machine=True).api.identity_providers


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        ({"default_role": "admin"}, "'none', 'reader' or 'editor'"),
        ({"role_claim": "groups"}, "api.issuer with it"),
        ({"role_values": {"x": "editor"}}, "api.role_claim with it"),
        ({"access_token_minutes": 4}, "a number from 5 up to 1440"),
        ({"access_token_minutes": 1441}, "a number from 5 up to 1440"),
        ({"threat_protection": "on"}, "'OFF', 'AUDIT' or 'ENFORCED'"),
        ({"mail_from": "nlp@example.com"}, "api.mail_identity_arn with it"),
        ({"mail_identity_arn": "example.com"}, "an ARN such as arn:aws:ses:"),
        (
            {"mail_identity_arn": "arn:aws:ses:eu-west-1:123456789012:identity/x.yz"},
            "a sender, as mail_identity_arn is set",
        ),
    ],
)
def test_mistakes_about_people(api: dict[str, Any], expected: str) -> None:
    [line] = mistakes(api=api)
    assert expected in line


def test_roles_of_another_issuer() -> None:
    issuer = {"issuer": "https://x.yz", "audience": ["a"], "role_claim": "https://x.yz/groups"}
    values = {f"Group {number}": "editor" for number in range(20)}
    assert parse(api=issuer | {"role_values": values}).api.role_values == values
    for wrong in (values | {"One more": "reader"}, {"x" * 81: "reader"}, {"": "reader"}):
        assert "at most 20 values of 1 to 80 characters" in mistakes(api=issuer | {"role_values": wrong})[0]


@pytest.mark.parametrize(
    ("api", "warning"),
    [
        ({}, None),
        ({"self_registration": False, "default_role": "editor"}, None),
        ({"self_registration": True}, "as reader: strangers can read the list of companies"),
        ({"self_registration": True, "default_role": "editor"}, "as editor: strangers can cause costs"),
        ({"self_registration": True, "default_role": "none"}, "as none: strangers have no access"),
    ],
)
def test_self_registration_is_warned_of(api: dict[str, Any], warning: str | None) -> None:
    warnings = parse(api=api).api.warnings()
    assert [warning in one for one in warnings if warning] == ([True] if warning else [])
    assert bool(warnings) is (warning is not None)
