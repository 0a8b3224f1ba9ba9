"""A stack of version 0.1.0 keeps its resources: each is found, where it was, by a resource of today's program.

`tests/data/deployed-0.1.0.txt` lists them: qualified types and logical names of all resources and components but the
alarms and the objects of the batch program. The upgrade on the real engine is in `tests/engine`.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.aliases import Place, Upgrade
from tests.support.program_settings import EVERYTHING
from tests.support.pulumi_mocks import ROOT_FOLDER, Declared, evaluate_program

# What the program no longer has: a counter, which holds nothing.
DROPPED = {"aws:cloudwatch/logMetricFilter:LogMetricFilter"}


def deployed() -> set[Place]:
    lines = (ROOT_FOLDER / "tests" / "data" / "deployed-0.1.0.txt").read_text().splitlines()
    places = {(kind, name) for kind, _, name in (line.rpartition("::") for line in lines)}
    return {(kind, name) for kind, name in places if kind.rpartition("$")[2] not in DROPPED}


@pytest.fixture(scope="module")
def found() -> dict[Place, list[Declared]]:
    """Resources of today's program by the deployed resource that each takes over."""
    upgrade = Upgrade(deployed())
    found: dict[Place, list[Declared]] = {}
    for resource in evaluate_program("prod", EVERYTHING).resources:
        if place := upgrade.former_place(resource):
            found.setdefault(place, []).append(resource)
    return found


def test_every_deployed_resource_is_found(found: dict[Place, list[Declared]]) -> None:
    assert sorted(deployed() - found.keys()) == []


def test_no_deployed_resource_is_found_twice(found: dict[Place, list[Declared]]) -> None:
    assert {place: [one.name for one in ones] for place, ones in found.items() if len(ones) > 1} == {}


def test_resources_keep_their_types_and_all_but_routes_their_names(found: dict[Place, list[Declared]]) -> None:
    custom = {place: resource for place, [resource] in found.items() if resource.custom}
    assert all(kind.rpartition("$")[2] == resource.type for (kind, _), resource in custom.items())
    renamed = Counter(resource.type for (_, name), resource in custom.items() if name != resource.name)
    assert renamed == {
        "aws:apigatewayv2/integration:Integration": 20,
        "aws:apigatewayv2/route:Route": 20,
        "aws:lambda/permission:Permission": 20,
    }


def test_protection_is_kept(found: dict[Place, list[Declared]]) -> None:
    kinds = ("aws:dynamodb/table:Table", "aws:s3/bucket:Bucket", "aws:cognito/userPool:UserPool")
    stateful = [resource for (kind, _), [resource] in found.items() if kind.endswith(kinds)]
    assert len(stateful) == 6
    assert all(resource.protect for resource in stateful)
