"""Settings of the sign-in: whose tokens count, roles, and the stack's own user pool."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from schema.roles import ROLE_VALUE_CHARACTERS, ROLE_VALUES, DefaultRole, Role
from settings_reader import (
    GROUP_NAME,
    ClaimName,
    DomainPrefix,
    Flag,
    Group,
    OrUnset,
    ProviderName,
    RolesByName,
    Sender,
    SesIdentityArn,
    Url,
    WholeNumber,
    form,
)

HttpsUrl = Annotated[str, form(r"https://[^\s/]+(/\S*)?", "an address that starts with https://")]


class IdentityProviderSettings(Group):
    """A provider at which people can sign in."""

    name: ProviderName
    """Name on the sign-in page"""
    type: Literal["OIDC", "SAML"]
    """Protocol of the provider"""
    metadata_url: OrUnset[HttpsUrl] = Field(default=None, validate_default=True)
    """Address of a SAML provider's metadata"""
    issuer: OrUnset[HttpsUrl] = Field(default=None, validate_default=True)
    """Issuer of an OpenID Connect provider"""
    client_id: OrUnset[str] = Field(default=None, validate_default=True)
    """Id of this user pool at an OpenID Connect provider"""
    client_secret: SecretStr | None = Field(default=None, validate_default=True)
    """Secret of this user pool at an OpenID Connect provider; set it with pulumi config set --secret --path"""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    """Scopes that an OpenID Connect provider is asked for"""
    attributes: dict[str, str] = Field(default={})
    """Attribute of the user pool -> attribute or claim of the provider, such as email: mail"""
    groups_attribute: OrUnset[ClaimName] = None
    """Attribute or claim of the provider that holds a person's groups"""
    group_roles: RolesByName = Field(default={}, validate_default=True)
    """Role that each group of the provider stands for"""

    @field_validator("metadata_url")
    @classmethod
    def _of_saml(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _fits_type(value, "SAML", info)

    @field_validator("issuer", "client_id")
    @classmethod
    def _of_openid_connect(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _fits_type(value, "OIDC", info)

    @field_validator("client_secret")
    @classmethod
    def _secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        context = info.context or {}
        if value and "api" not in context.get("secret_keys", ()) and not context.get("on_this_machine"):
            raise ValueError("an encrypted value, as pulumi config set --secret --path writes it")
        return _fits_type(value, "OIDC", info)

    @field_validator("group_roles")
    @classmethod
    def _with_attribute(cls, group_roles: dict[str, Role], info: ValidationInfo) -> dict[str, Role]:
        if "groups_attribute" in info.data and bool(group_roles) != bool(info.data["groups_attribute"]):
            raise ValueError("groups_attribute with it" if group_roles else "at least one, as groups_attribute is set")
        if len(group_roles) > ROLE_VALUES:
            raise ValueError(f"at most {ROLE_VALUES} groups")
        if not all(re.fullmatch(GROUP_NAME, name) for name in group_roles):
            raise ValueError("names of at most 80 letters, digits, dots, hyphens and underscores")
        return group_roles


ProviderValue = TypeVar("ProviderValue", str, SecretStr)


def _fits_type(value: ProviderValue | None, kind: str, info: ValidationInfo) -> ProviderValue | None:
    """Check that a field is set for its type of provider, and for no other."""
    if "type" in info.data and bool(value) != (info.data["type"] == kind):
        raise ValueError(f"no value, as type is not {kind}" if value else f"a value, as type is {kind}")
    return value


class SignInSettings(Group):
    """Whose tokens the API accepts, and how people sign in."""

    issuer: OrUnset[Url] = None
    """OpenID Connect issuer of access tokens; when not set, a Cognito user pool is created"""
    audience: tuple[str, ...] = Field(default=(), validate_default=True)
    """Accepted audiences of access tokens; required with issuer"""
    default_role: DefaultRole | None = None
    """Role of signed-in people who have been given none: none, reader or editor"""
    role_claim: OrUnset[ClaimName] = None
    """Claim of the issuer's access tokens that holds roles, such as groups; only with issuer"""
    role_values: RolesByName = Field(default={})
    """Role that each value of role_claim stands for; when not set, the values are the roles' names"""
    self_registration: Flag | None = None
    """Let anybody register; when false, administrators invite users"""
    mfa: Literal["OFF", "OPTIONAL", "ON"] | None = None
    """Second factor from an authenticator app"""
    callback_urls: tuple[Url, ...] = ()
    """Pages of the web application that the sign-in page redirects to"""
    logout_urls: tuple[Url, ...] = ()
    """Pages that the sign-in page redirects to after sign-out"""
    sign_in_prefix: OrUnset[DomainPrefix] = None
    """First part of the sign-in page's domain, unique in the region; when not set, made of the user pool's id"""
    access_token_minutes: WholeNumber | None = Field(default=None, ge=5, le=1440)
    """Lifetime of access tokens; a disabled user, or one whose role was taken away, keeps access until then"""
    sign_in_days: WholeNumber | None = Field(default=None, ge=1, le=365)
    """Days until people must sign in again; when not set, 30, or 1 with identity_providers"""
    identity_providers: tuple[IdentityProviderSettings, ...] = ()
    """Other identity providers at which people can sign in; needs callback_urls"""
    threat_protection: Literal["OFF", "AUDIT", "ENFORCED"] | None = None
    """Cognito's protection against stolen passwords and unusual sign-ins; 0.02 USD a month per active user"""
    mail_identity_arn: OrUnset[SesIdentityArn] = None
    """Verified identity in Amazon SES that Cognito's e-mails are sent with; when not set, at most 50 e-mails a day"""
    mail_from: OrUnset[Sender] = Field(default=None, validate_default=True)
    """Sender of Cognito's e-mails, such as Cloud NLP <nlp@example.com>; required with mail_identity_arn"""
    firewall: Flag | None = None
    """Put AWS WAF in front of the sign-in; about 7 USD a month"""

    @field_validator("audience")
    @classmethod
    def _with_issuer(cls, audience: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "issuer" in info.data and bool(info.data["issuer"]) != bool(audience):
            raise ValueError("api.issuer with it" if audience else "at least one, as api.issuer is set")
        return audience

    @field_validator("identity_providers")
    @classmethod
    def _usable(
        cls, identity_providers: tuple[IdentityProviderSettings, ...], info: ValidationInfo
    ) -> tuple[IdentityProviderSettings, ...]:
        if not identity_providers:
            return identity_providers
        if info.data.get("issuer"):
            raise ValueError("none, as api.issuer is set and the stack has no user pool")
        if "callback_urls" in info.data and not info.data["callback_urls"]:
            raise ValueError("api.callback_urls with it, as people sign in on the sign-in page")
        names = Counter(provider.name.lower() for provider in identity_providers)
        if repeated := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"each name once, not several times like {' and '.join(repeated)}")
        return identity_providers

    @field_validator("mail_from")
    @classmethod
    def _with_identity(cls, mail_from: str | None, info: ValidationInfo) -> str | None:
        if "mail_identity_arn" in info.data and bool(mail_from) != bool(info.data["mail_identity_arn"]):
            raise ValueError("api.mail_identity_arn with it" if mail_from else "a sender, as mail_identity_arn is set")
        return mail_from

    @field_validator("role_claim")
    @classmethod
    def _of_an_issuer(cls, role_claim: str | None, info: ValidationInfo) -> str | None:
        if role_claim and not info.data.get("issuer", "wrong"):
            raise ValueError("api.issuer with it; the stack's own user pool has groups named reader, editor and admin")
        return role_claim

    @field_validator("role_values")
    @classmethod
    def _of_a_claim(cls, role_values: dict[str, Role], info: ValidationInfo) -> dict[str, Role]:
        if role_values and not info.data.get("role_claim", "wrong"):
            raise ValueError("api.role_claim with it")
        if len(role_values) > ROLE_VALUES or any(not 1 <= len(one) <= ROLE_VALUE_CHARACTERS for one in role_values):
            raise ValueError(f"at most {ROLE_VALUES} values of 1 to {ROLE_VALUE_CHARACTERS} characters")
        return role_values

    def warnings(self) -> list[str]:
        """List what is allowed, but seldom meant."""
        if not self.self_registration or self.issuer:
            return []
        role = self.default_role or "reader"
        meaning = {
            "none": "strangers have no access until you give them a role (nlp users role)",
            "reader": "strangers can read the list of companies and what was observed of them",
            "editor": "strangers can cause costs, and change the list of companies that all users share",
        }
        return [f"cloud-nlp:api.self_registration lets anybody register, as {role}: {meaning[role]}."]
