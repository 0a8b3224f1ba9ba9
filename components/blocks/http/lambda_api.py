"""LambdaApi: an HTTP API with one Lambda function per route."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.blocks.access.user_pool import SignIn, UserPool
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.http.api_domain import ApiDomain, Domain
from components.blocks.http.http_api import HttpApi
from components.blocks.http.provider_roles import ProviderRoles
from components.blocks.http.routes import JwtIssuer, Route, Throttle, mistakes_of
from components.blocks.resources import child


class LambdaApi(pulumi.ComponentResource):
    """An HTTP API: each route has a function, whose role has the permissions that the route declares and no others.

    Parameters
    ----------
    name
        Logical name; the physical names of API, functions and roles start with it.
    routes
        The routes, each with a handler of its own.
    issuer
        Issuer of the accepted tokens; without one, the API has its own Cognito user pool.
    sign_in
        Rules for signing in to the API's own user pool.
    functions
        Defaults shared by all functions of the stack.
    throttle
        Rate limit shared by all routes without one of their own.
    origins
        Origins of web pages that may call the API, such as `https://app.example.com`.
    domain
        Custom domain, which is then the only address.
    protect
        Protect the user pool from deletion.

    Attributes
    ----------
    id, url
        Id and address of the API.
    users
        The API's user pool; `None` where an issuer is given.
    functions
        Functions by route key, such as `GET /projects`.

    Raises
    ------
    ValueError
        Routes or origins are wrong; one message has all mistakes.
    """

    def __init__(
        self,
        name: str,
        *,
        routes: Sequence[Route],
        issuer: JwtIssuer | None = None,
        sign_in: SignIn | None = None,
        functions: FunctionDefaults | None = None,
        throttle: Throttle | None = None,
        origins: Sequence[str] = (),
        domain: Domain | None = None,
        protect: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        _check(name, routes, origins)
        super().__init__("cloud-nlp:blocks:LambdaApi", name, {}, opts)
        defaults = functions or FunctionDefaults()
        self.users: UserPool | None = None
        if issuer is None:
            self.users = self._user_pool(f"{name}-users", sign_in or SignIn(), defaults, protect)
            issuer = JwtIssuer(issuer=self.users.issuer, audiences=self.users.client_ids())
        self.functions = {route.key: self._function(name, route, defaults) for route in routes}
        api = HttpApi(
            name,
            functions=[(route, self.functions[route.key]) for route in routes],
            issuer=issuer,
            throttle=throttle or Throttle(),
            origins=origins,
            only_by_domain=domain is not None,
            log_retention_days=defaults.log_retention_days,
            alarm_topics=defaults.alarm_topics,
            opts=child(self),
        )
        self.id = api.id
        self.url: pulumi.Input[str] = api.url
        if domain:
            self.url = ApiDomain(f"{name}-domain", domain=domain, api_id=api.id, stage=api.stage, opts=child(self)).url
        self.register_outputs({"url": self.url, "id": self.id})

    def _user_pool(self, name: str, sign_in: SignIn, functions: FunctionDefaults, protect: bool) -> UserPool:
        if not any(provider.groups_attribute for provider in sign_in.providers):
            return UserPool(name, sign_in=sign_in, protect=protect, opts=child(self))
        roles = ProviderRoles(f"{name}-roles", providers=sign_in.providers, functions=functions, opts=child(self))
        pool = UserPool(name, sign_in=sign_in, token_function=roles.arn, protect=protect, opts=child(self))
        roles.allow(pool.arn)
        return pool

    def _function(self, name: str, route: Route, defaults: FunctionDefaults) -> PythonFunction:
        return PythonFunction(
            f"{name}-{route.function_name}",
            handler=route.handler,
            defaults=defaults,
            uses=route.uses,
            permissions=route.permissions,
            environment=route.environment,
            files=route.files,
            timeout_seconds=route.timeout_seconds,
            memory_mb=route.memory_mb,
            # API Gateway answers 5xx for each of its failures, refused invocations included.
            watched_by_caller=True,
            opts=child(self),
        )


def _check(name: str, routes: Sequence[Route], origins: Sequence[str]) -> None:
    mistakes = mistakes_of(routes)
    if "*" in origins:
        mistakes.append("origins *: expected each origin by its name")
    if mistakes:
        raise ValueError("\n".join([f"API {name} has mistakes:", *(f"  {mistake}" for mistake in mistakes)]))
