"""NlpApi: roles of people, and what its arguments say of signing in."""

from __future__ import annotations

from typing import Any

import pytest

from components.blocks.access.federation import IdentityProvider
from components.nlp_api import NlpApiArgs
from schema.endpoints import ENDPOINTS
from tests.components.test_nlp_api import FUNCTION, LONG_NAME, LONGEST_NAMES, ROLE_VARIABLES, declare, function_of
from tests.support.pulumi_mocks import SUFFIX, Evaluation

PROVIDER = IdentityProvider(
    name="Okta", type="SAML", metadata_url="https://a.bc/", groups_attribute="groups", group_roles={"E": "editor"}
)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return declare()


def roles_of(evaluation: Evaluation, route: str) -> dict[str, str]:
    variables = evaluation.one(FUNCTION, function_of(evaluation, route)).inputs["environment"]["variables"]
    return {name: value for name, value in variables.items() if name in ROLE_VARIABLES}


def test_functions_know_the_role_that_they_need(evaluation: Evaluation) -> None:
    for endpoint in ENDPOINTS:
        assert roles_of(evaluation, endpoint.route).get("REQUIRED_ROLE") == endpoint.role
    assert roles_of(evaluation, "POST /companies") == {
        "REQUIRED_ROLE": "editor",
        "DEFAULT_ROLE": "reader",
        "ROLE_CLAIM": "cognito:groups",
        "ROLE_VALUES": "{}",
    }


def test_another_issuers_tokens_name_roles_only_where_the_stack_says() -> None:
    issuer: dict[str, Any] = {"issuer": "https://login.example.com", "audience": ["our-client"]}
    found = roles_of(declare(**issuer, default_role="none"), "GET /projects")
    assert (found["ROLE_CLAIM"], found["DEFAULT_ROLE"]) == ("", "none")
    found = roles_of(declare(**issuer, role_claim="groups", role_values={"E": "editor"}), "GET /projects")
    assert (found["ROLE_CLAIM"], found["ROLE_VALUES"]) == ("groups", '{"E": "editor"}')
    wrong: list[dict[str, Any]] = [{"role_claim": "groups"}, {"role_values": {"E": "editor"}}]
    for arguments in wrong:
        with pytest.raises(ValueError, match="no role_claim and no role_values without issuer"):
            NlpApiArgs(**arguments)


def test_people_sign_in_as_the_arguments_say() -> None:
    evaluation = declare(
        callback_urls=["https://app.example.com/"],
        access_token_minutes=5,
        sign_in_days=3,
        identity_providers=[PROVIDER],
        threat_protection="AUDIT",
        mail_from="a@b.cd",
        mail_identity_arn="arn:identity",
    )
    pool = evaluation.one("aws:cognito/userPool:UserPool").inputs
    client = evaluation.one("aws:cognito/userPoolClient:UserPoolClient", "nlp-users-web").inputs
    assert (client["accessTokenValidity"], client["refreshTokenValidity"]) == (5, 3)
    assert client["supportedIdentityProviders"] == ["COGNITO", "Okta"]
    assert (pool["userPoolTier"], pool["emailConfiguration"]["fromEmailAddress"]) == ("PLUS", "a@b.cd")


def test_names_fit_aws_for_component_names_of_20_letters() -> None:
    resources = declare(LONG_NAME, callback_urls=["https://a.bc/"], identity_providers=[PROVIDER]).resources
    checked = {one.name: LONGEST_NAMES[one.type] for one in resources if one.type in LONGEST_NAMES}
    assert f"{LONG_NAME}-users-roles" in checked
    assert [name for name, longest in checked.items() if len(name + SUFFIX) > longest] == []
