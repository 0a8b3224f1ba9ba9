"""Creators of Cognito user pools, their groups, clients, identity providers and domains."""

from __future__ import annotations

from local.deploy.creators.common import Context, Created, Creator, Inputs, only, parts, spelled

_POOL_INPUTS = (
    "accountRecoverySetting",
    "adminCreateUserConfig",
    "aliasAttributes",
    "autoVerifiedAttributes",
    "deletionProtection",
    "emailConfiguration",
    "emailVerificationMessage",
    "emailVerificationSubject",
    "lambdaConfig",
    "schemas",
    "userAttributeUpdateSettings",
    "userPoolAddOns",
    "usernameAttributes",
    "usernameConfiguration",
    "userPoolTier",
    "verificationMessageTemplate",
)
_POOL_SPELLINGS = {
    "attributesRequireVerificationBeforeUpdates": "AttributesRequireVerificationBeforeUpdate",
    "fromEmailAddress": "From",
    "schemas": "Schema",
}
_CLIENT_INPUTS = (
    "accessTokenValidity",
    "allowedOauthFlows",
    "allowedOauthFlowsUserPoolClient",
    "allowedOauthScopes",
    "authSessionValidity",
    "callbackUrls",
    "defaultRedirectUri",
    "enableTokenRevocation",
    "explicitAuthFlows",
    "generateSecret",
    "idTokenValidity",
    "logoutUrls",
    "preventUserExistenceErrors",
    "readAttributes",
    "refreshTokenRotation",
    "refreshTokenValidity",
    "supportedIdentityProviders",
    "tokenValidityUnits",
    "userPoolId",
    "writeAttributes",
)
_CLIENT_SPELLINGS = {
    "allowedOauthFlows": "AllowedOAuthFlows",
    "allowedOauthFlowsUserPoolClient": "AllowedOAuthFlowsUserPoolClient",
    "allowedOauthScopes": "AllowedOAuthScopes",
    "callbackUrls": "CallbackURLs",
    "defaultRedirectUri": "DefaultRedirectURI",
    "logoutUrls": "LogoutURLs",
}


def _user_pool(context: Context, inputs: Inputs) -> Created:
    cognito = context.client("cognito-idp")
    policies = {"Policies": {"PasswordPolicy": spelled(inputs["passwordPolicy"])}} if "passwordPolicy" in inputs else {}
    settings = parts(inputs, *_POOL_INPUTS, **_POOL_SPELLINGS)
    pool = cognito.create_user_pool(PoolName=context.unique, **policies, **settings)["UserPool"]
    if inputs.get("mfaConfiguration", "OFF") != "OFF":
        cognito.set_user_pool_mfa_config(
            UserPoolId=pool["Id"], **parts(inputs, "mfaConfiguration", "softwareTokenMfaConfiguration")
        )
    endpoint = f"cognito-idp.{cognito.meta.region_name}.amazonaws.com/{pool['Id']}"
    return pool["Id"], {"name": context.unique, "arn": pool["Arn"], "endpoint": endpoint}


def _user_pool_client(context: Context, inputs: Inputs) -> Created:
    client = context.client("cognito-idp").create_user_pool_client(
        ClientName=context.unique, **parts(inputs, *_CLIENT_INPUTS, **_CLIENT_SPELLINGS)
    )["UserPoolClient"]
    return client["ClientId"], {"name": context.unique, "clientSecret": client.get("ClientSecret", "")}


def _identity_provider(context: Context, inputs: Inputs) -> Created:
    # Names of details and attributes are the provider's, so they are not spelled in AWS's way.
    context.client("cognito-idp").create_identity_provider(
        **only(
            inputs,
            userPoolId="UserPoolId",
            providerName="ProviderName",
            providerType="ProviderType",
            providerDetails="ProviderDetails",
            attributeMapping="AttributeMapping",
        )
    )
    return f"{inputs['userPoolId']}:{inputs['providerName']}", {}


def _user_pool_domain(context: Context, inputs: Inputs) -> Created:
    context.client("cognito-idp").create_user_pool_domain(**parts(inputs, "domain", "userPoolId"))
    return inputs["domain"], {}


def _user_group(context: Context, inputs: Inputs) -> Created:
    name = inputs.get("name") or context.unique
    context.client("cognito-idp").create_group(
        GroupName=name, **parts(inputs, "description", "precedence", "roleArn", "userPoolId")
    )
    return f"{inputs['userPoolId']}/{name}", {"name": name}


CREATORS: dict[str, Creator] = {
    "aws:cognito/identityProvider:IdentityProvider": _identity_provider,
    "aws:cognito/userGroup:UserGroup": _user_group,
    "aws:cognito/userPool:UserPool": _user_pool,
    "aws:cognito/userPoolClient:UserPoolClient": _user_pool_client,
    "aws:cognito/userPoolDomain:UserPoolDomain": _user_pool_domain,
}
