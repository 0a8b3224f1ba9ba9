"""NlpApi: the product's HTTP API, made of the endpoints that `schema/endpoints.py` declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.blocks.access.federation import IdentityProvider
from components.blocks.access.user_pool import SignIn
from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.former import former_product_api
from components.blocks.http.api_domain import Domain
from components.blocks.http.endpoint_routes import MakeGrant, on_bucket, on_machines, on_table, routes_of
from components.blocks.http.lambda_api import LambdaApi
from components.blocks.http.routes import JwtIssuer, Route, Throttle
from components.blocks.resources import child
from components.blocks.workflow.state_machine import StateMachine
from components.document_store import DocumentStore, DocumentStoreArgs
from components.sentiment_pipeline import SentimentPipeline
from schema.endpoint import COMPANIES_TABLE, DOCUMENTS_BUCKET, DOCUMENTS_TABLE, OBSERVATIONS_TABLE, STATE_MACHINES
from schema.endpoints import ENDPOINTS
from schema.roles import COGNITO_CLAIM, DefaultRole, Role


@dataclass(frozen=True, kw_only=True)
class NlpApiArgs:
    """Arguments of the API; all have defaults.

    Attributes
    ----------
    functions
        Defaults shared by all functions of the stack.
    store
        Store of projects and documents; created when absent.
    pipeline
        Pipeline whose companies the API serves; without one, the API has no endpoints for companies.
    machines
        State machines by kind of job; without any, the API has no endpoints that start or stop jobs.
    version
        Version that `GET /health` answers.
    isolated_translation
        Translation jobs have no network, so the API refuses jobs that use Amazon Translate.
    issuer, audience
        JWT issuer and accepted audiences; without an issuer, the API has its own Cognito user pool.
    default_role
        Role of signed-in people whose token names none.
    role_claim, role_values
        Claim of the issuer's tokens that holds roles, and the role that each of its values stands for; without values,
        the claim has the roles' own names. The own user pool has groups named as the roles.
    self_registration
        Let anybody register; otherwise administrators invite users.
    mfa
        Second factor from an authenticator app: `OFF`, `OPTIONAL` or `ON`.
    callback_urls, logout_urls
        Pages that the sign-in page redirects to; without any, the web application has no client.
    sign_in_prefix
        First part of the sign-in page's domain, unique in the region; made of the pool's id when absent.
    access_token_minutes
        Lifetime of access tokens; a disabled user, or one whose role was taken away, keeps access until then.
    sign_in_days
        Days until people must sign in again; by default 30, or 1 with identity providers.
    identity_providers
        Other identity providers at which people can sign in, on the sign-in page.
    threat_protection
        Cognito's threat protection: `OFF`, `AUDIT` or `ENFORCED`; it costs per active user.
    mail_from, mail_identity_arn
        Sender of Cognito's e-mails, and the ARN of the identity in Amazon SES that it belongs to.
    firewall
        Put AWS WAF in front of the sign-in.
    origins
        Origins of web pages that may call the API, such as `https://app.example.com`.
    requests_per_second, burst
        Rate limit shared by all routes that are not costly.
    costly_requests_per_second, costly_burst
        Rate limit of each costly route, whose requests cause paid work.
    domain
        Custom domain, such as `api.example.com`, which is then the only address.
    hosted_zone_id
        Route 53 hosted zone for the domain's record and its certificate's validation.
    certificate_arn
        Existing certificate for the domain; when absent, one is issued, which requires `hosted_zone_id`.
    protect
        Protect the user pool, and the store if the API creates it, from deletion.
    """

    functions: FunctionDefaults = field(default_factory=FunctionDefaults)
    store: DocumentStore | None = None
    pipeline: SentimentPipeline | None = None
    machines: Mapping[str, StateMachine] = field(default_factory=dict)
    version: pulumi.Input[str] = "unknown"
    isolated_translation: bool = False
    issuer: pulumi.Input[str] | None = None
    audience: Sequence[pulumi.Input[str]] = ()
    default_role: DefaultRole = "reader"
    role_claim: str | None = None
    role_values: Mapping[str, Role] = field(default_factory=dict)
    self_registration: bool = False
    mfa: pulumi.Input[str] = "OPTIONAL"
    callback_urls: Sequence[pulumi.Input[str]] = ()
    logout_urls: Sequence[pulumi.Input[str]] = ()
    sign_in_prefix: pulumi.Input[str] | None = None
    access_token_minutes: int = 15
    sign_in_days: int | None = None
    identity_providers: Sequence[IdentityProvider] = ()
    threat_protection: Literal["OFF", "AUDIT", "ENFORCED"] = "OFF"
    mail_from: pulumi.Input[str] | None = None
    mail_identity_arn: pulumi.Input[str] | None = None
    firewall: bool = False
    origins: Sequence[str] = ()
    requests_per_second: pulumi.Input[float] = 100
    burst: pulumi.Input[int] = 200
    costly_requests_per_second: pulumi.Input[float] = 5
    costly_burst: pulumi.Input[int] = 10
    domain: str | None = None
    hosted_zone_id: pulumi.Input[str] | None = None
    certificate_arn: pulumi.Input[str] | None = None
    protect: bool = False

    def __post_init__(self) -> None:
        if bool(self.issuer) != bool(self.audience):
            raise ValueError("NlpApiArgs: expected both issuer and audience, or none of them")
        if (self.role_claim or self.role_values) and not self.issuer:
            raise ValueError("NlpApiArgs: expected no role_claim and no role_values without issuer")


class NlpApi(pulumi.ComponentResource):
    """The HTTP API: each endpoint is a route and a function with the permissions that its declaration names.

    Attributes
    ----------
    url
        Address of the API.
    users
        The API's user pool; `None` where an issuer is given.
    store
        The store of projects and documents.
    api
        The routes and functions.
    """

    def __init__(
        self,
        name: str,
        args: NlpApiArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:index:NlpApi", name, {}, opts)
        args = args or NlpApiArgs()
        self.store = args.store or self._store(f"{name}-store", args)
        self.api = LambdaApi(
            name,
            routes=self._routes(args),
            issuer=JwtIssuer(issuer=args.issuer, audiences=args.audience) if args.issuer else None,
            sign_in=_sign_in(args),
            functions=args.functions,
            throttle=Throttle(requests_per_second=args.requests_per_second, burst=args.burst),
            origins=args.origins,
            domain=_domain(args),
            protect=args.protect,
            opts=child(self, aliases=[_former_place(name)]),
        )
        self.url, self.users = self.api.url, self.api.users
        self.register_outputs({"url": self.url})

    def _store(self, name: str, args: NlpApiArgs) -> DocumentStore:
        store = DocumentStoreArgs(functions=args.functions, upload_origins=args.origins, protect=args.protect)
        return DocumentStore(name, store, opts=child(self))

    def _routes(self, args: NlpApiArgs) -> list[Route]:
        grants: dict[str, MakeGrant] = {
            DOCUMENTS_TABLE: on_table(self.store.documents),
            DOCUMENTS_BUCKET: on_bucket(self.store.files),
        }
        if args.pipeline:
            grants[COMPANIES_TABLE] = on_table(args.pipeline.companies)
            grants[OBSERVATIONS_TABLE] = on_table(args.pipeline.observations)
        if args.machines:
            grants[STATE_MACHINES] = on_machines(args.machines)
        return routes_of(
            [endpoint for endpoint in ENDPOINTS if all(use.resource in grants for use in endpoint.uses)],
            grants=grants,
            environment={
                "VERSION": args.version,
                "ISOLATED_TRANSLATION": "true" if args.isolated_translation else "false",
            },
            roles=_roles(args),
            costly=Throttle(requests_per_second=args.costly_requests_per_second, burst=args.costly_burst),
        )


def _former_place(name: str) -> pulumi.Alias:
    """Alias of the former `NlpApi`, a child of `ProductApi` that held the user pool, the functions and the routes."""
    return pulumi.Alias(type_="cloud-nlp:index:NlpApi", parent=former_product_api(name, "-api"))


def _roles(args: NlpApiArgs) -> dict[str, pulumi.Input[str]]:
    return {
        "DEFAULT_ROLE": args.default_role,
        # Tokens of another issuer name no roles unless the stack says where.
        "ROLE_CLAIM": args.role_claim or ("" if args.issuer else COGNITO_CLAIM),
        "ROLE_VALUES": json.dumps(dict(args.role_values), sort_keys=True),
    }


def _sign_in(args: NlpApiArgs) -> SignIn:
    return SignIn(
        self_registration=args.self_registration,
        mfa=args.mfa,
        callback_urls=args.callback_urls,
        logout_urls=args.logout_urls,
        domain_prefix=args.sign_in_prefix,
        firewall=args.firewall,
        access_minutes=args.access_token_minutes,
        refresh_days=args.sign_in_days,
        providers=args.identity_providers,
        threat_protection=args.threat_protection,
        mail_from=args.mail_from,
        mail_identity_arn=args.mail_identity_arn,
    )


def _domain(args: NlpApiArgs) -> Domain | None:
    if not args.domain:
        return None
    return Domain(host=args.domain, zone_id=args.hosted_zone_id or "", certificate_arn=args.certificate_arn or "")
