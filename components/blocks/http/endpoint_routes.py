"""Routes that are made of the declarations in `schema/endpoints.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from components.blocks.access.grants import Grant, by_name
from components.blocks.access.permissions import Permission
from components.blocks.http.routes import Route, Throttle
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Table
from components.blocks.workflow.state_machine import StateMachine
from schema.endpoint import Endpoint, Use

# Makes the grant that an endpoint's declaration asks for.
MakeGrant = Callable[[Use], Grant]
_WHY_ANY_RESOURCE = "Synchronous calls of Amazon Comprehend and Amazon Translate have no resource to name"


def on_table(table: Table) -> MakeGrant:
    """Make grants on a table."""
    return lambda use: table.grant(*_actions(use), index=use.index or None)


def on_bucket(bucket: PrivateBucket) -> MakeGrant:
    """Make grants on a bucket."""
    return lambda use: bucket.grant(*_actions(use), prefixes=use.prefixes)


def on_machines(machines: Mapping[str, StateMachine]) -> MakeGrant:
    """Make grants on all state machines, whose variable holds their ARNs by name."""
    return lambda use: by_name({name: machine.grant(*_actions(use)) for name, machine in machines.items()})


def routes_of(
    endpoints: Sequence[Endpoint],
    *,
    grants: Mapping[str, MakeGrant],
    environment: Mapping[str, pulumi.Input[str]],
    roles: Mapping[str, pulumi.Input[str]],
    costly: Throttle,
) -> list[Route]:
    """Make the routes of endpoints.

    Parameters
    ----------
    endpoints
        Declarations.
    grants
        By the name of a resource, such as `DOCUMENTS_TABLE`: what makes grants on it.
    environment
        Values of the environment variables that endpoints name.
    roles
        Environment variables of all endpoints that need a token: how roles are found in it.
    costly
        Rate limit of each costly endpoint.

    Raises
    ------
    KeyError
        An endpoint names a resource or a variable that is not given.
    """
    return [
        Route(
            endpoint.method,
            endpoint.path,
            handler=f"handlers/api/{endpoint.script}.py",
            uses=_uses(endpoint, grants),
            permissions=_permissions(endpoint),
            environment={
                **{name: environment[name] for name in endpoint.environment},
                **({"REQUIRED_ROLE": endpoint.role, **roles} if endpoint.role else {}),
            },
            files=endpoint.files,
            public=endpoint.public,
            timeout_seconds=endpoint.timeout_seconds,
            memory_mb=endpoint.memory_mb,
            throttle=costly if endpoint.costly else None,
        )
        for endpoint in endpoints
    ]


def _uses(endpoint: Endpoint, grants: Mapping[str, MakeGrant]) -> dict[str, list[Grant]]:
    uses: dict[str, list[Grant]] = {}
    for use in endpoint.uses:
        uses.setdefault(use.resource, []).append(grants[use.resource](use))
    return uses


def _permissions(endpoint: Endpoint) -> list[Permission]:
    return [Permission(endpoint.services, ["*"], why_any_resource=_WHY_ANY_RESOURCE)] if endpoint.services else []


def _actions(use: Use) -> tuple[Any, ...]:
    """Pass the declared actions on unchecked: each resource refuses actions that it does not grant."""
    return use.actions
