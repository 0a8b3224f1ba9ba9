"""ProviderRoles: the function that turns groups of identity providers into roles."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.blocks.access.arns import account_of
from components.blocks.access.federation import IdentityProvider
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.resources import child


class ProviderRoles(pulumi.ComponentResource):
    """A function that Cognito calls before it makes tokens: it turns groups of identity providers into roles.

    Parameters
    ----------
    name
        Logical name; the function's physical name starts with it.
    providers
        The providers.
    functions
        Defaults shared by all functions of the stack.

    Attributes
    ----------
    arn
        ARN of the function.
    """

    def __init__(
        self,
        name: str,
        *,
        providers: Sequence[IdentityProvider],
        functions: FunctionDefaults | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:ProviderRoles", name, {}, opts)
        roles = {one.name: dict(one.group_roles) for one in providers if one.groups_attribute}
        function = PythonFunction(
            name,
            handler="handlers/people/provider_roles.py",
            defaults=functions,
            environment={"PROVIDER_ROLES": json.dumps(roles, sort_keys=True)},
            # Cognito waits for 5 seconds, and asks again twice.
            timeout_seconds=5,
            opts=child(self),
        )
        self.arn, self._function, self._name = function.arn, function.name, name
        self.register_outputs({"arn": self.arn})

    def allow(self, pool: pulumi.Input[str]) -> None:
        """Let a user pool call the function, by the pool's ARN."""
        aws.lambda_.Permission(
            self._name,
            action="lambda:InvokeFunction",
            function=self._function,
            principal="cognito-idp.amazonaws.com",
            source_arn=pool,
            source_account=account_of(pool),
            opts=child(self),
        )
