"""Aliases: how the engine finds a resource that a stack has under a former URN.

The rules are those of `generateAliases` in the engine's
https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step_generator.go. A place is a URN without the stack
and the project: qualified type and name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.pulumi_mocks import Declared

Place = tuple[str, str]


@dataclass(frozen=True)
class Alias:
    """A former place; what is empty is as it is now.

    Attributes
    ----------
    parent
        Place of the parent, or `None`.
    """

    name: str
    type: str
    parent: Place | None


def alias_of(spec: Any) -> Alias:
    """Read an alias out of a request to the engine."""
    assert not spec.noParent, "no resource has left its parent for the stack"
    parts = spec.parentUrn.split("::")
    return Alias(spec.name, spec.type, (parts[2], parts[3]) if spec.parentUrn else None)


def place_of(resource: Declared) -> Place:
    parent = place_of(resource.parent) if resource.parent else None
    return _below(parent, resource.type, resource.name)


class Upgrade:
    """A stack's upgrade: which of its resources each declared one takes over.

    Parameters
    ----------
    deployed
        Places of all resources that the stack has, components included.
    """

    def __init__(self, deployed: set[Place]) -> None:
        self._deployed = deployed
        self._found: dict[Declared, Place | None] = {}

    def former_place(self, resource: Declared) -> Place | None:
        """The place where a declared resource is found; `None` for a new one."""
        if resource not in self._found:
            found = [place for place in self._candidates(resource) if place in self._deployed]
            self._found[resource] = found[0] if found else None
        return self._found[resource]

    def _candidates(self, resource: Declared) -> Iterator[Place]:
        parent = resource.parent
        now = place_of(parent) if parent else None
        yield _below(now, resource.type, resource.name)
        former = self.former_place(parent) if parent else None
        for alias in resource.aliases:
            yield _below(alias.parent or now, alias.type or resource.type, alias.name or resource.name)
        if former and former != now:
            yield _below(former, resource.type, resource.name)
            for alias in resource.aliases:
                yield _below(former, alias.type or resource.type, alias.name or resource.name)


def _below(parent: Place | None, kind: str, name: str) -> Place:
    return (f"{parent[0]}${kind}" if parent else kind, name)
