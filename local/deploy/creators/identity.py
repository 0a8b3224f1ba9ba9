"""Creators of IAM roles and KMS keys."""

from __future__ import annotations

from local.deploy.creators.common import Context, Created, Creator, Inputs


def _role(context: Context, inputs: Inputs) -> Created:
    role = context.client("iam").create_role(
        RoleName=context.unique, AssumeRolePolicyDocument=inputs["assumeRolePolicy"]
    )["Role"]
    return context.unique, {"name": context.unique, "arn": role["Arn"]}


def _role_policy(context: Context, inputs: Inputs) -> Created:
    context.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=context.unique, PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{context.unique}", {"name": context.unique}


def _key(context: Context, inputs: Inputs) -> Created:
    kms = context.client("kms")
    key = kms.create_key(Description=inputs["description"])["KeyMetadata"]
    if inputs["enableKeyRotation"]:
        kms.enable_key_rotation(KeyId=key["KeyId"])
    return key["KeyId"], {"keyId": key["KeyId"], "arn": key["Arn"]}


def _key_policy(context: Context, inputs: Inputs) -> Created:
    context.client("kms").put_key_policy(KeyId=inputs["keyId"], PolicyName="default", Policy=inputs["policy"])
    return inputs["keyId"], {}


CREATORS: dict[str, Creator] = {
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:kms/key:Key": _key,
    "aws:kms/keyPolicy:KeyPolicy": _key_policy,
}
