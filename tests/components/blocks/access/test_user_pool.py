"""UserPool: who may sign in and how, and the clients that they sign in with."""

from __future__ import annotations

from typing import Any

import pytest

from components.blocks.access.user_pool import SignIn, UserPool
from tests.support.pulumi_mocks import POOL_ID, SUFFIX, Evaluation, arn_of, evaluate

COMPONENT = "cloud-nlp:blocks:UserPool"
POOL = "aws:cognito/userPool:UserPool"
CLIENT = "aws:cognito/userPoolClient:UserPoolClient"
GROUP = "aws:cognito/userGroup:UserGroup"
DOMAIN = "aws:cognito/userPoolDomain:UserPoolDomain"
WEB = SignIn(callback_urls=["https://app.example.com/signed-in"], logout_urls=["https://app.example.com/"])
TOKENS = {
    "accessTokenValidity": 15,
    "idTokenValidity": 15,
    "refreshTokenValidity": 30,
    "tokenValidityUnits": {"accessToken": "minutes", "idToken": "minutes", "refreshToken": "days"},
    "refreshTokenRotation": {"feature": "ENABLED", "retryGracePeriodSeconds": 60},
    "enableTokenRevocation": True,
    "preventUserExistenceErrors": "ENABLED",
}


def declare(sign_in: SignIn = WEB, protect: bool = False, preview: bool = False) -> Evaluation:
    return evaluate(lambda: UserPool("users", sign_in=sign_in, protect=protect) and None, preview=preview)


def test_pool_clients_and_page_belong_to_the_component() -> None:
    evaluation = declare()
    assert evaluation.children(COMPONENT) == {POOL: 1, CLIENT: 2, DOMAIN: 1, GROUP: 3}
    assert len(evaluation.resources) == 8


def test_pool_wants_strong_passwords_and_proven_addresses() -> None:
    assert declare().one(POOL).inputs == {
        "usernameAttributes": ["email"],
        "autoVerifiedAttributes": ["email"],
        "usernameConfiguration": {"caseSensitive": False},
        "userAttributeUpdateSettings": {"attributesRequireVerificationBeforeUpdates": ["email"]},
        "passwordPolicy": {
            "minimumLength": 12,
            "requireLowercase": True,
            "requireUppercase": True,
            "requireNumbers": True,
            "requireSymbols": True,
            "passwordHistorySize": 5,
            "temporaryPasswordValidityDays": 3,
        },
        "mfaConfiguration": "OPTIONAL",
        "softwareTokenMfaConfiguration": {"enabled": True},
        "accountRecoverySetting": {"recoveryMechanisms": [{"name": "verified_email", "priority": 1}]},
        "adminCreateUserConfig": {"allowAdminCreateUserOnly": True},
        "schemas": [
            {
                "name": "groups",
                "attributeDataType": "String",
                "mutable": True,
                "required": False,
                "developerOnlyAttribute": False,
                "stringAttributeConstraints": {"minLength": "0", "maxLength": "2048"},
            }
        ],
        "userPoolTier": "ESSENTIALS",
        "deletionProtection": "INACTIVE",
    }


def test_each_role_is_a_group() -> None:
    groups = {one.inputs["name"]: one.inputs for one in declare().of(GROUP)}
    assert {name: one["precedence"] for name, one in groups.items()} == {"admin": 0, "editor": 1, "reader": 2}
    assert all(one["userPoolId"] == POOL_ID and one["description"] for one in groups.values())
    assert all("roleArn" not in one for one in groups.values())


@pytest.mark.parametrize("mode", ["AUDIT", "ENFORCED"])
def test_threat_protection_needs_the_plan_that_has_it(mode: Any) -> None:
    inputs = declare(SignIn(threat_protection=mode)).one(POOL).inputs
    assert (inputs["userPoolTier"], inputs["userPoolAddOns"]) == ("PLUS", {"advancedSecurityMode": mode})
    assert "userPoolAddOns" not in declare().one(POOL).inputs


def test_mail_is_sent_with_an_identity_of_ses() -> None:
    identity = "arn:aws:ses:eu-central-1:123456789012:identity/example.com"
    sign_in = SignIn(mail_from="Cloud NLP <nlp@example.com>", mail_identity_arn=identity)
    assert declare(sign_in).one(POOL).inputs["emailConfiguration"] == {
        "emailSendingAccount": "DEVELOPER",
        "fromEmailAddress": "Cloud NLP <nlp@example.com>",
        "sourceArn": identity,
    }
    assert "emailConfiguration" not in declare().one(POOL).inputs


def test_anybody_may_register_where_the_stack_says_so() -> None:
    inputs = declare(SignIn(self_registration=True)).one(POOL).inputs
    assert inputs["adminCreateUserConfig"] == {"allowAdminCreateUserOnly": False}


@pytest.mark.parametrize(("mfa", "authenticator"), [("OFF", None), ("ON", {"enabled": True})])
def test_second_factor_is_the_stacks_choice(mfa: str, authenticator: Any) -> None:
    inputs = declare(SignIn(mfa=mfa)).one(POOL).inputs
    assert (inputs["mfaConfiguration"], inputs.get("softwareTokenMfaConfiguration")) == (mfa, authenticator)


def test_web_application_exchanges_a_code_and_has_no_secret() -> None:
    assert declare().one(CLIENT, "users-web").inputs == {
        "userPoolId": POOL_ID,
        "generateSecret": False,
        "allowedOauthFlowsUserPoolClient": True,
        "allowedOauthFlows": ["code"],
        "allowedOauthScopes": ["email", "openid", "profile"],
        "supportedIdentityProviders": ["COGNITO"],
        "writeAttributes": ["email"],
        "callbackUrls": ["https://app.example.com/signed-in"],
        "logoutUrls": ["https://app.example.com/"],
        "explicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
        **TOKENS,
    }


def test_command_line_tool_proves_passwords_and_does_not_send_them() -> None:
    assert declare().one(CLIENT, "users-command-line").inputs == {
        "userPoolId": POOL_ID,
        "generateSecret": False,
        "allowedOauthFlowsUserPoolClient": False,
        "writeAttributes": ["email"],
        "explicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
        **TOKENS,
    }


def test_validity_of_tokens_is_the_stacks_choice() -> None:
    for client in declare(SignIn(access_minutes=5, refresh_days=1, callback_urls=["https://a.example"])).of(CLIENT):
        validity = [client.inputs[f"{token}TokenValidity"] for token in ("access", "id", "refresh")]
        assert validity == [5, 5, 1]


def test_without_a_web_application_there_is_no_client_for_it() -> None:
    def build() -> list[Any]:
        pool = UserPool("users")
        assert pool.web_client_id is None
        return pool.client_ids()

    evaluation = evaluate(build)
    assert [one.name for one in evaluation.of(CLIENT)] == ["users-command-line"]
    assert evaluation.result == [f"users-command-line{SUFFIX}"]


def test_page_has_an_address_that_no_other_pool_has() -> None:
    assert declare().one(DOMAIN).inputs == {"userPoolId": POOL_ID, "domain": "nlp-abcdefghi"}
    assert declare(SignIn(domain_prefix="our-name")).one(DOMAIN).inputs["domain"] == "our-name"


def test_another_domain_takes_the_place_of_the_former_one() -> None:
    """A pool has one domain, so that the new one cannot be made first."""
    assert declare().one(DOMAIN).delete_before_replace


def test_issuer_and_clients_are_what_tokens_name() -> None:
    def build() -> list[Any]:
        pool = UserPool("users", sign_in=WEB)
        return [pool.issuer, *pool.client_ids()]

    assert evaluate(build).result == [
        f"https://cognito-idp.eu-central-1.amazonaws.com/{POOL_ID}",
        f"users-web{SUFFIX}",
        f"users-command-line{SUFFIX}",
    ]


@pytest.mark.parametrize(("protect", "state"), [(False, "INACTIVE"), (True, "ACTIVE")])
def test_protection_holds_in_aws_and_in_pulumi(protect: bool, state: str) -> None:
    pool = declare(protect=protect).one(POOL)
    assert (pool.inputs["deletionProtection"], pool.protect) == (state, protect)


def test_preview_declares_the_same_resources() -> None:
    assert [repr(one) for one in declare(preview=True).resources] == [repr(one) for one in declare().resources]


def test_no_firewall_unless_the_stack_asks_for_one() -> None:
    assert declare().of("cloud-nlp:blocks:Firewall") == []


def test_firewall_limits_addresses_and_refuses_attackers_before_the_pool() -> None:
    evaluation = declare(SignIn(firewall=True))
    acl = evaluation.one("aws:wafv2/webAcl:WebAcl", "users-firewall").inputs
    assert (acl["scope"], acl["defaultAction"]) == ("REGIONAL", {"allow": {}})
    limit, attackers = acl["rules"]
    assert (limit["priority"], limit["action"]) == (0, {"block": {}})
    assert limit["statement"]["rateBasedStatement"] == {
        "limit": 500,
        "aggregateKeyType": "IP",
        "evaluationWindowSec": 300,
    }
    assert (attackers["priority"], attackers["overrideAction"]) == (1, {"none": {}})
    group = attackers["statement"]["managedRuleGroupStatement"]
    assert group == {"name": "AWSManagedRulesAmazonIpReputationList", "vendorName": "AWS"}
    assert evaluation.one("aws:wafv2/webAclAssociation:WebAclAssociation").inputs == {
        "resourceArn": arn_of(POOL, "users"),
        "webAclArn": arn_of("aws:wafv2/webAcl:WebAcl", "users-firewall"),
    }
