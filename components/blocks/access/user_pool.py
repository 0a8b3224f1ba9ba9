"""UserPool: sign-in with Amazon Cognito."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.blocks.access.firewall import Firewall
from components.blocks.resources import child
from schema.roles import PURPOSES, ROLES

MIN_PASSWORD_LENGTH = 12
# OAuth scopes of the hosted sign-in page; the e-mail address is the only attribute of users.
_SCOPES = ["email", "openid", "profile"]


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Rules for signing in.

    Attributes
    ----------
    self_registration
        Let anybody register; otherwise administrators invite users.
    mfa
        Second factor from an authenticator app: `OFF`, `OPTIONAL` or `ON`.
    callback_urls, logout_urls
        Pages that the hosted sign-in page redirects to; without any, the web application has no client.
    domain_prefix
        First part of the hosted page's domain, unique in the region; made of the pool's id when absent.
    firewall
        Put AWS WAF in front of the hosted page and Cognito's interface.
    access_minutes, refresh_days
        Lifetimes of access tokens and refresh tokens.
    """

    self_registration: bool = False
    mfa: pulumi.Input[str] = "OPTIONAL"
    callback_urls: Sequence[pulumi.Input[str]] = ()
    logout_urls: Sequence[pulumi.Input[str]] = ()
    domain_prefix: pulumi.Input[str] | None = None
    firewall: bool = False
    access_minutes: int = 60
    refresh_days: int = 30


class UserPool(pulumi.ComponentResource):
    """A user pool with a hosted sign-in page, a group per role, and clients for a web application and a command line.

    Users sign in with their e-mail address and a strong password, and recover their account by e-mail. Clients have no
    secret, since neither browsers nor command-line tools can keep one; the web application exchanges a code for tokens,
    with PKCE. Error messages do not reveal whether an account exists.

    Parameters
    ----------
    name
        Logical name; the pool's physical name starts with it.
    sign_in
        Rules for signing in.
    protect
        Protect the pool from deletion.

    Attributes
    ----------
    id
        Id of the pool.
    issuer
        JWT issuer of its tokens.
    web_client_id
        Id of the web application's client; `None` without callback URLs.
    command_line_client_id
        Id of the command-line tool's client.
    domain
        First part of the hosted page's domain.
    """

    def __init__(
        self,
        name: str,
        *,
        sign_in: SignIn | None = None,
        protect: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:UserPool", name, {}, opts)
        sign_in = sign_in or SignIn()
        pool = self._pool(name, sign_in, protect)
        self.id = pool.id
        self.issuer = pulumi.Output.concat("https://", pool.endpoint)
        self.web_client_id = self._web_client(f"{name}-web", sign_in).id if sign_in.callback_urls else None
        self.command_line_client_id = self._command_line_client(f"{name}-command-line", sign_in).id
        self.domain = aws.cognito.UserPoolDomain(
            name,
            user_pool_id=pool.id,
            domain=sign_in.domain_prefix or pool.id.apply(_domain_prefix),
            # The prefix is unique in the region, so the new one cannot be there before the old one is gone.
            opts=child(self, delete_before_replace=True),
        ).domain
        self._groups(name)
        if sign_in.firewall:
            Firewall(f"{name}-firewall", resource_arn=pool.arn, opts=child(self))
        self.register_outputs({"id": self.id, "issuer": self.issuer})

    def client_ids(self) -> list[pulumi.Output[str]]:
        """Ids of all clients, which are the audiences of their tokens."""
        return [one for one in (self.web_client_id, self.command_line_client_id) if one is not None]

    def _pool(self, name: str, sign_in: SignIn, protect: bool) -> aws.cognito.UserPool:
        return aws.cognito.UserPool(
            name,
            username_attributes=["email"],
            auto_verified_attributes=["email"],
            username_configuration=aws.cognito.UserPoolUsernameConfigurationArgs(case_sensitive=False),
            # A new address counts only once it is verified, so nobody can take over somebody else's.
            user_attribute_update_settings=aws.cognito.UserPoolUserAttributeUpdateSettingsArgs(
                attributes_require_verification_before_updates=["email"]
            ),
            password_policy=aws.cognito.UserPoolPasswordPolicyArgs(
                minimum_length=MIN_PASSWORD_LENGTH,
                require_lowercase=True,
                require_uppercase=True,
                require_numbers=True,
                require_symbols=True,
                password_history_size=5,
                temporary_password_validity_days=3,
            ),
            mfa_configuration=sign_in.mfa,
            software_token_mfa_configuration=aws.cognito.UserPoolSoftwareTokenMfaConfigurationArgs(enabled=True)
            if sign_in.mfa != "OFF"
            else None,
            account_recovery_setting=aws.cognito.UserPoolAccountRecoverySettingArgs(
                recovery_mechanisms=[
                    aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(name="verified_email", priority=1)
                ]
            ),
            admin_create_user_config=aws.cognito.UserPoolAdminCreateUserConfigArgs(
                allow_admin_create_user_only=not sign_in.self_registration
            ),
            deletion_protection="ACTIVE" if protect else "INACTIVE",
            opts=child(self, protect=protect),
        )

    def _groups(self, name: str) -> None:
        """Make a group for each role; tokens name the groups of their user."""
        for number, role in enumerate(reversed(ROLES)):
            aws.cognito.UserGroup(
                f"{name}-{role}",
                user_pool_id=self.id,
                name=role,
                description=PURPOSES[role],
                precedence=number,
                opts=child(self),
            )

    def _web_client(self, name: str, sign_in: SignIn) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            name,
            user_pool_id=self.id,
            generate_secret=False,
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_flows=["code"],
            allowed_oauth_scopes=_SCOPES,
            supported_identity_providers=["COGNITO"],
            callback_urls=list(sign_in.callback_urls),
            logout_urls=list(sign_in.logout_urls),
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            **_tokens(sign_in),
            opts=child(self),
        )

    def _command_line_client(self, name: str, sign_in: SignIn) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            name,
            user_pool_id=self.id,
            generate_secret=False,
            allowed_oauth_flows_user_pool_client=False,
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"],
            **_tokens(sign_in),
            opts=child(self),
        )


def _tokens(sign_in: SignIn) -> dict[str, Any]:
    return {
        "access_token_validity": sign_in.access_minutes,
        "id_token_validity": sign_in.access_minutes,
        "refresh_token_validity": sign_in.refresh_days,
        "token_validity_units": aws.cognito.UserPoolClientTokenValidityUnitsArgs(
            access_token="minutes",  # noqa: S106 - a unit
            id_token="minutes",  # noqa: S106 - a unit
            refresh_token="days",  # noqa: S106 - a unit
        ),
        "enable_token_revocation": True,
        "prevent_user_existence_errors": "ENABLED",
    }


def _domain_prefix(pool: str) -> str:
    """Derive a unique prefix from the pool's id, such as `eu-central-1_AbCdEfGhI`."""
    return f"nlp-{pool.partition('_')[2].lower()}"
