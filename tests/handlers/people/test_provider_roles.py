"""Groups of identity providers become roles, for people who signed in there and nobody else."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from tests.handlers.conftest import LogLines

ROLES = {"Okta": {"nlp-editors": "editor", "nlp-admins": "admin"}, "Entra": {"41f-2": "reader"}}
OKTA = json.dumps([{"providerName": "Okta", "providerType": "SAML", "userId": "ann"}])


@pytest.fixture(scope="module")
def function() -> ModuleType:
    with patch.dict("os.environ", {"PROVIDER_ROLES": json.dumps(ROLES)}):
        return importlib.import_module("handlers.people.provider_roles")


def groups(function: ModuleType, attributes: dict[str, str], had: Sequence[str] = ()) -> list[str]:
    event = {
        "version": "2",
        "userName": "okta_ann",
        "request": {
            "userAttributes": {"sub": "1", **attributes},
            "groupConfiguration": {"groupsToOverride": list(had), "iamRolesToOverride": [], "preferredRole": None},
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }
    answer = function.handler(event, None)
    return answer["response"]["claimsAndScopeOverrideDetails"]["groupOverrideDetails"]["groupsToOverride"]


def federated(text: str, identities: str = OKTA) -> dict[str, str]:
    return {"cognito:user_status": "EXTERNAL_PROVIDER", "identities": identities, "custom:groups": text}


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("nlp-editors", ["editor"]),
        ("[nlp-editors]", ["editor"]),
        ("[nlp-editors, nlp-admins]", ["admin", "editor"]),
        ("[others,nlp-editors]", ["editor"]),
        ('["nlp-editors","others"]', ["editor"]),
        ('["others, nlp-admins"]', []),
        ("[all nlp-admins]", []),
        ("nlp-admins-2", []),
        ("NLP-ADMINS", []),
        ("admin", []),
        ("41f-2", []),
        ("[]", []),
        ("", []),
    ],
)
def test_roles_follow_the_groups_of_the_provider(function: ModuleType, text: str, roles: list[str]) -> None:
    assert groups(function, federated(text)) == roles


def test_groups_of_the_pool_stay(function: ModuleType) -> None:
    assert groups(function, federated("nlp-editors"), ["eu_Okta", "reader"]) == ["eu_Okta", "reader", "editor"]
    assert groups(function, federated("nlp-editors"), ["editor"]) == ["editor"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"custom:groups": "nlp-admins"},
        {"custom:groups": "nlp-admins", "cognito:user_status": "CONFIRMED"},
        # An account with a password that was linked to a provider: its owner may write its attributes.
        {"custom:groups": "nlp-admins", "cognito:user_status": "CONFIRMED", "identities": OKTA},
        federated("nlp-admins", "[]"),
        federated("nlp-admins", "Okta"),
        federated("nlp-admins", json.dumps([{"providerName": "Entra"}])),
        federated("nlp-admins", json.dumps([{"providerName": "Another"}])),
    ],
)
def test_nobody_gives_a_role_to_themselves(function: ModuleType, attributes: dict[str, str]) -> None:
    assert groups(function, attributes, ["eu_Okta"]) == ["eu_Okta"]


def test_what_was_given_is_logged(function: ModuleType, log_lines: LogLines) -> None:
    groups(function, federated("nlp-editors"))
    [line] = [line for line in log_lines() if line["message"] == "roles given"]
    assert (line["user_name"], line["roles"]) == ("okta_ann", ["editor"])


def test_events_without_groups_are_answered(function: ModuleType) -> None:
    event: dict[str, Any] = {"request": {"userAttributes": {}}, "response": {}}
    details = function.handler(event, None)["response"]["claimsAndScopeOverrideDetails"]
    assert details == {"groupOverrideDetails": {"groupsToOverride": []}}
