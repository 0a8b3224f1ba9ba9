"""UserPool: sign-in with Amazon Cognito."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from components.blocks.access.federation import IdentityProvider, make_providers, written_attributes
from components.blocks.access.firewall import Firewall
from components.blocks.resources import child
from schema.roles import PROVIDER_GROUPS_ATTRIBUTE, PURPOSES, ROLES

MIN_PASSWORD_LENGTH = 12
# OAuth scopes of the hosted sign-in page; the e-mail address is the only attribute of users.
_SCOPES = ["email", "openid", "profile"]
# Passwords are proven and never sent. Refresh tokens are rotated, which excludes ALLOW_REFRESH_TOKEN_AUTH:
# https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
_AUTH_FLOWS = ["ALLOW_USER_SRP_AUTH"]
# A rotated refresh token stays good for this long, for clients whose answer was lost; the most that Cognito allows.
_GRACE_SECONDS = 60


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
    access_minutes
        Lifetime of access tokens, 5 to 1440. Somebody who was disabled or lost a role keeps access until then.
    refresh_days
        Days until people must sign in again; by default 30, or 1 with identity providers, since Cognito does not ask
        a provider again before that.
    providers
        Other identity providers at which people can sign in, on the hosted page.
    threat_protection
        Cognito's protection against stolen passwords and unusual sign-ins: `OFF`, `AUDIT` or `ENFORCED`. It needs
        Cognito's plan Plus, which costs per active user.
    mail_from, mail_identity_arn
        Sender of Cognito's e-mails and the ARN of the verified identity in Amazon SES that it belongs to. Without
        them, Cognito sends at most 50 e-mails a day.
    """

    self_registration: bool = False
    mfa: pulumi.Input[str] = "OPTIONAL"
    callback_urls: Sequence[pulumi.Input[str]] = ()
    logout_urls: Sequence[pulumi.Input[str]] = ()
    domain_prefix: pulumi.Input[str] | None = None
    firewall: bool = False
    access_minutes: int = 15
    refresh_days: int | None = None
    providers: Sequence[IdentityProvider] = ()
    threat_protection: Literal["OFF", "AUDIT", "ENFORCED"] = "OFF"
    mail_from: pulumi.Input[str] | None = None
    mail_identity_arn: pulumi.Input[str] | None = None


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
    token_function
        ARN of a function that Cognito calls before it makes tokens (version 2 of the trigger).
    protect
        Protect the pool from deletion.

    Attributes
    ----------
    id, arn
        Id and ARN of the pool.
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
        token_function: pulumi.Input[str] | None = None,
        protect: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:UserPool", name, {}, opts)
        sign_in = sign_in or SignIn()
        pool = self._pool(name, sign_in, protect, token_function)
        self.id, self.arn = pool.id, pool.arn
        self.issuer = pulumi.Output.concat("https://", pool.endpoint)
        providers = make_providers(name, pool=pool, providers=sign_in.providers, parent=self)
        self.web_client_id = self._web_client(f"{name}-web", sign_in, providers).id if sign_in.callback_urls else None
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

    def _pool(
        self, name: str, sign_in: SignIn, protect: bool, token_function: pulumi.Input[str] | None
    ) -> aws.cognito.UserPool:
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
            # Attributes of a pool can be added, but never removed: it is there with and without providers.
            schemas=[
                aws.cognito.UserPoolSchemaArgs(
                    name=PROVIDER_GROUPS_ATTRIBUTE,
                    attribute_data_type="String",
                    mutable=True,
                    required=False,
                    developer_only_attribute=False,
                    string_attribute_constraints=aws.cognito.UserPoolSchemaStringAttributeConstraintsArgs(
                        min_length="0", max_length="2048"
                    ),
                )
            ],
            lambda_config=_triggers(token_function),
            email_configuration=_mail(sign_in),
            # Histories of passwords and changes of access tokens need Essentials at least.
            user_pool_tier="ESSENTIALS" if sign_in.threat_protection == "OFF" else "PLUS",
            user_pool_add_ons=_threat_protection(sign_in),
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

    def _web_client(
        self, name: str, sign_in: SignIn, providers: Sequence[aws.cognito.IdentityProvider]
    ) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            name,
            user_pool_id=self.id,
            generate_secret=False,
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_flows=["code"],
            allowed_oauth_scopes=_SCOPES,
            supported_identity_providers=["COGNITO", *(provider.name for provider in sign_in.providers)],
            write_attributes=written_attributes(sign_in.providers),
            callback_urls=list(sign_in.callback_urls),
            logout_urls=list(sign_in.logout_urls),
            # Cognito allows more than this where nothing is named.
            explicit_auth_flows=_AUTH_FLOWS,
            **_tokens(sign_in),
            # Cognito refuses a provider that is not there yet.
            opts=child(self, depends_on=list(providers)),
        )

    def _command_line_client(self, name: str, sign_in: SignIn) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            name,
            user_pool_id=self.id,
            generate_secret=False,
            allowed_oauth_flows_user_pool_client=False,
            write_attributes=written_attributes(()),
            explicit_auth_flows=_AUTH_FLOWS,
            **_tokens(sign_in),
            opts=child(self),
        )


def _triggers(token_function: pulumi.Input[str] | None) -> aws.cognito.UserPoolLambdaConfigArgs | None:
    if token_function is None:
        return None
    return aws.cognito.UserPoolLambdaConfigArgs(
        pre_token_generation_config=aws.cognito.UserPoolLambdaConfigPreTokenGenerationConfigArgs(
            lambda_arn=token_function,
            lambda_version="V2_0",  # the first that changes access tokens
        )
    )


def _mail(sign_in: SignIn) -> aws.cognito.UserPoolEmailConfigurationArgs | None:
    if sign_in.mail_identity_arn is None:
        return None
    return aws.cognito.UserPoolEmailConfigurationArgs(
        email_sending_account="DEVELOPER",
        from_email_address=sign_in.mail_from,
        source_arn=sign_in.mail_identity_arn,
    )


def _threat_protection(sign_in: SignIn) -> aws.cognito.UserPoolUserPoolAddOnsArgs | None:
    if sign_in.threat_protection == "OFF":
        return None
    return aws.cognito.UserPoolUserPoolAddOnsArgs(advanced_security_mode=sign_in.threat_protection)


def _tokens(sign_in: SignIn) -> dict[str, Any]:
    return {
        "access_token_validity": sign_in.access_minutes,
        "id_token_validity": sign_in.access_minutes,
        "refresh_token_validity": sign_in.refresh_days or (1 if sign_in.providers else 30),
        "token_validity_units": aws.cognito.UserPoolClientTokenValidityUnitsArgs(
            access_token="minutes",  # noqa: S106 - a unit
            id_token="minutes",  # noqa: S106 - a unit
            refresh_token="days",  # noqa: S106 - a unit
        ),
        "refresh_token_rotation": aws.cognito.UserPoolClientRefreshTokenRotationArgs(
            feature="ENABLED", retry_grace_period_seconds=_GRACE_SECONDS
        ),
        "enable_token_revocation": True,
        "prevent_user_existence_errors": "ENABLED",
    }


def _domain_prefix(pool: str) -> str:
    """Derive a unique prefix from the pool's id, such as `eu-central-1_AbCdEfGhI`."""
    return f"nlp-{pool.partition('_')[2].lower()}"
