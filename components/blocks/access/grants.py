"""Grants: a permission on a resource, and the value that names the resource, made in one act.

Each resource makes its own: `table.grant("Scan")`, `bucket.grant("GetObject", prefix="reports/")`. A function takes
grants by the environment variable that names the resource: `uses={"COMPANIES_TABLE": companies.grant("Scan")}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.blocks.access.permissions import Permission


@dataclass(frozen=True, eq=False)
class Grant:
    """Permissions on a resource.

    Attributes
    ----------
    permissions
        Permissions for the role of the function or service that uses the resource.
    value
        Value that names the resource: a table's or bucket's name, a queue's URL, a state machine's or topic's ARN.
    """

    permissions: tuple[Permission, ...]
    value: pulumi.Input[str]


# Grants by the environment variable that names their resource; several are grants on the same resource.
Uses = Mapping[str, Grant | Sequence[Grant]]


def by_name(grants: Mapping[str, Grant]) -> Grant:
    """Join grants on several resources under one environment variable.

    Parameters
    ----------
    grants
        Grants by the names that the function calls their resources.

    Returns
    -------
    A grant whose value is a JSON object of the resources' values by their names.
    """
    permissions = tuple(permission for grant in grants.values() for permission in grant.permissions)
    return Grant(permissions, pulumi.Output.json_dumps({name: grant.value for name, grant in grants.items()}))


def granted_permissions(uses: Uses) -> list[Permission]:
    """List the permissions of all grants."""
    return [permission for _, grants in _listed(uses) for grant in grants for permission in grant.permissions]


def granted_environment(uses: Uses) -> dict[str, pulumi.Input[str]]:
    """Make the environment variables that name the resources.

    Raises
    ------
    ValueError
        A variable has no grants, or grants on different resources.
    """
    return {variable: _value(variable, grants) for variable, grants in _listed(uses)}


def check_actions(resource: str, actions: Sequence[str], allowed: Sequence[str]) -> None:
    """Refuse actions that a resource does not grant.

    Parameters
    ----------
    resource
        What is granted, for the message, such as `Table companies`.
    actions
        Names without the service's prefix.
    allowed
        Names that can be granted.

    Raises
    ------
    ValueError
        There are no actions, or unknown ones.
    """
    if not actions:
        raise ValueError(f"{resource}: name at least one action to grant")
    unknown = [action for action in actions if action not in allowed]
    if unknown:
        raise ValueError(f"{resource} does not grant {', '.join(unknown)}; it grants {', '.join(sorted(allowed))}")


def _listed(uses: Uses) -> Iterator[tuple[str, Sequence[Grant]]]:
    for variable, grants in uses.items():
        yield variable, [grants] if isinstance(grants, Grant) else grants


def _value(variable: str, grants: Sequence[Grant]) -> pulumi.Input[str]:
    if not grants:
        raise ValueError(f"{variable}: expected at least one grant")
    if any(grant.value is not grants[0].value for grant in grants):
        raise ValueError(f"{variable}: expected grants on one resource")
    return grants[0].value
