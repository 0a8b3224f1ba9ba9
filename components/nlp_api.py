"""NlpApi: an HTTP API whose endpoints are one script and one function each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi

from components.blocks.access.user_pool import SignIn, UserPool
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.http.api_domain import ApiDomain, Domain
from components.blocks.http.http_api import Audience, HttpApi, Route, Throttle
from components.blocks.resources import child


@dataclass(frozen=True)
class NlpApiArgs:
    """What an API is given.

    Attributes
    ----------
    functions
        What its functions have in common with the stack's others.
    routes
        Its endpoints.
    audience
        Whose tokens are good, where somebody else signs people in.
    sign_in
        How people sign in to the API's own user pool; without effect when `audience` is given.
    throttle
        Of all routes that have none of their own.
    origins
        Origins of web pages that may call the API, such as `https://app.example.com`.
    domain
        A domain of one's own, which is then the only way in.
    protect
        Refuse to delete the user pool.
    """

    functions: FunctionDefaults
    routes: Sequence[Route]
    audience: Audience | None = None
    sign_in: SignIn = field(default_factory=SignIn)
    throttle: Throttle = field(default_factory=lambda: Throttle(per_second=100, burst=200))
    origins: Sequence[str] = ()
    domain: Domain | None = None
    protect: bool = False

    def __post_init__(self) -> None:
        mistakes = [mistake for route in self.routes for mistake in route.mistakes()]
        if not self.routes:
            mistakes.append("routes: expected at least one")
        if "*" in self.origins:
            mistakes.append("origins *: expected each origin by its name")
        for title, values in (("route", [one.key for one in self.routes]), ("handler", _names(self.routes))):
            mistakes += [
                f"{title} {value}: given {count} times" for value, count in Counter(values).items() if count > 1
            ]
        if mistakes:
            raise ValueError("\n".join(["The API has mistakes:", *(f"  {mistake}" for mistake in mistakes)]))


class NlpApi(pulumi.ComponentResource):
    """An HTTP API with sign-in. Each route is a function with a role that may do what the route says, and nothing else.

    Attributes
    ----------
    url
        Its address.
    id
        Of the API.
    users
        Its own user pool; `None` where somebody else signs people in.
    functions
        By the route's key, such as `GET /projects`.
    """

    def __init__(self, name: str, args: NlpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloud-nlp:index:NlpApi", name, {}, opts)
        self.users = (
            None
            if args.audience
            else UserPool(f"{name}-users", sign_in=args.sign_in, protect=args.protect, opts=child(self))
        )
        self.functions = {route.key: self._function(name, route, args.functions) for route in args.routes}
        api = HttpApi(
            name,
            functions=[(route, self.functions[route.key]) for route in args.routes],
            audience=self._audience(args),
            throttle=args.throttle,
            origins=args.origins,
            only_by_domain=args.domain is not None,
            log_retention_days=args.functions.log_retention_days,
            alarm_topics=args.functions.alarm_topics,
            opts=child(self),
        )
        self.id = api.id
        self.url: pulumi.Input[str] = api.url
        if args.domain:
            self.url = ApiDomain(
                f"{name}-domain", domain=args.domain, api_id=api.id, stage=api.stage, opts=child(self)
            ).url
        self.register_outputs({"url": self.url, "id": self.id})

    def _audience(self, args: NlpApiArgs) -> Audience:
        if args.audience or self.users is None:
            assert args.audience  # noqa: S101 - one of both is there
            return args.audience
        return Audience(self.users.issuer, self.users.client_ids())

    def _function(self, name: str, route: Route, defaults: FunctionDefaults) -> PythonFunction:
        return PythonFunction(
            f"{name}-{route.short_name}",
            handler=route.handler,
            defaults=defaults,
            permissions=route.allow,
            environment=route.environment,
            timeout_seconds=route.timeout_seconds,
            memory_mb=route.memory_mb,
            opts=child(self),
        )


def _names(routes: Sequence[Route]) -> list[str]:
    return [route.short_name for route in routes]
