"""Federation: sign-in to a user pool at other identity providers, whose groups stand for roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.blocks.resources import child
from schema.roles import PROVIDER_GROUPS, Role

ProviderType = Literal["OIDC", "SAML"]
EMAIL: dict[ProviderType, str] = {
    "OIDC": "email",
    "SAML": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
}
# What Cognito reads from a provider's metadata and adds to its details.
_FOUND_BY_COGNITO = (
    "ActiveEncryptionCertificate",
    "SLORedirectBindingURI",
    "SSORedirectBindingURI",
    "attributes_url",
    "attributes_url_add_attributes",
    "authorize_url",
    "jwks_uri",
    "token_url",
)


@dataclass(frozen=True, kw_only=True)
class IdentityProvider:
    """A provider at which people can sign in.

    Attributes
    ----------
    name
        Name on the sign-in page, unique in the pool.
    type
        Its protocol.
    metadata_url
        SAML: address of the provider's metadata.
    issuer, client_id, client_secret
        OpenID Connect: issuer, and the pool's credentials there. The secret has to be a secret output.
    scopes
        OpenID Connect: scopes that are asked for.
    attributes
        Attribute of the pool -> attribute or claim of the provider; the e-mail address is always among them.
    groups_attribute
        Attribute or claim of the provider that holds a person's groups.
    group_roles
        Role that each of these groups stands for.
    """

    name: str
    type: ProviderType
    metadata_url: pulumi.Input[str] | None = None
    issuer: pulumi.Input[str] | None = None
    client_id: pulumi.Input[str] | None = None
    client_secret: pulumi.Input[str] | None = None
    scopes: Sequence[str] = ("openid", "email", "profile")
    attributes: Mapping[str, str] = field(default_factory=dict)
    groups_attribute: str | None = None
    group_roles: Mapping[str, Role] = field(default_factory=dict)

    def details(self) -> dict[str, pulumi.Input[str]]:
        """Make the details that Cognito expects for the provider's type."""
        if self.type == "SAML":
            return {"MetadataURL": self.metadata_url or ""}
        return {
            "oidc_issuer": self.issuer or "",
            "client_id": self.client_id or "",
            "client_secret": self.client_secret or "",
            "authorize_scopes": " ".join(self.scopes),
            "attributes_request_method": "GET",
        }

    def mapping(self) -> dict[str, str]:
        """Map attributes of the pool to those of the provider."""
        groups = {PROVIDER_GROUPS: self.groups_attribute} if self.groups_attribute else {}
        username = {"username": "sub"} if self.type == "OIDC" else {}
        return {"email": EMAIL[self.type], **username, **self.attributes, **groups}


def written_attributes(providers: Sequence[IdentityProvider]) -> list[str]:
    """List the pool's attributes that a client has to be able to write, so that sign-ins at providers work."""
    mapped = {name for provider in providers for name in provider.mapping()} - {"username"}
    return sorted({"email", *mapped})


def make_providers(
    name: str,
    *,
    pool: aws.cognito.UserPool,
    providers: Sequence[IdentityProvider],
    parent: pulumi.Resource,
) -> list[aws.cognito.IdentityProvider]:
    """Make a pool's identity providers.

    Parameters
    ----------
    name
        Beginning of their logical names.
    pool
        The pool.
    providers
        The providers.
    parent
        The component that they belong to.
    """
    return [
        aws.cognito.IdentityProvider(
            f"{name}-{label}",
            user_pool_id=pool.id,
            provider_name=label,
            provider_type=provider.type,
            provider_details=provider.details(),
            attribute_mapping=provider.mapping(),
            opts=child(
                parent,
                additional_secret_outputs=["providerDetails"],
                ignore_changes=[f"providerDetails.{one}" for one in _FOUND_BY_COGNITO],
            ),
        )
        for label, provider in {one.name: one for one in providers}.items()
    ]
