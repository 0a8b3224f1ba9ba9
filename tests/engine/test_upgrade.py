"""A stack that an earlier version deployed, upgraded to this one on the real engine."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.engine.project import Project
from tests.engine.provider.account import Request, kind_of
from tests.engine.stacks import Engine, Outcome, Stack
from tests.engine.upgrade.__main__ import STACK, earlier_state

# Types whose resources hold data, or are known outside: none of them may be removed or made anew.
KEPT = (
    "aws:apigatewayv2/api:Api",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cognito/userPool:UserPool",
    "aws:cognito/userPoolClient:UserPoolClient",
    "aws:cognito/userPoolDomain:UserPoolDomain",
    "aws:dynamodb/table:Table",
    "aws:s3/bucket:Bucket",
    "aws:sqs/queue:Queue",
)
REMOVING = {"delete", "delete-replaced", "replace", "create-replacement", "discard", "discard-replaced"}
ROUTE = "aws:apigatewayv2/route:Route"


class Upgraded:
    """The earlier stack, and what its upgrade did.

    Attributes
    ----------
    before, after
        What existed on AWS.
    up
        What the upgrade did.
    """

    def __init__(self, stack: Stack, deployment: dict[str, Any]) -> None:
        self.stack = stack
        stack.restore(deployment)
        self.before = stack.account().resources()
        self.up: Outcome = stack.up()
        self.after = stack.account().resources()


@pytest.fixture(scope="module")
def upgraded(engine: Engine, project: Project) -> Upgraded:
    return Upgraded(engine.stack(STACK, STACK, project), earlier_state())


def ids(resources: list[Request], kind: str) -> set[str]:
    return {resource.id for resource in resources if resource.kind == kind}


@pytest.mark.parametrize("kind", KEPT)
def test_resources_with_data_stay_what_they_are(upgraded: Upgraded, kind: str) -> None:
    before = ids(upgraded.before, kind)
    assert before
    assert before <= ids(upgraded.after, kind)
    assert [step for step in upgraded.up.urns if step[0] in REMOVING and kind_of(step[1]) == kind] == []


def test_each_route_exists_once_at_any_time(upgraded: Upgraded) -> None:
    routes = {resource.id: str(resource.inputs["routeKey"]) for resource in upgraded.before if resource.kind == ROUTE}
    assert len(routes) == len(set(routes.values())) >= 20
    for request in upgraded.up.requests:
        if request.kind == ROUTE and request.changes_account:
            routes.pop(request.id, None)
            if request.method != "Delete":
                routes[request.id] = str(request.inputs["routeKey"])
            assert [key for key, count in Counter(routes.values()).items() if count > 1] == []
    assert set(routes.values()) == {str(one.inputs["routeKey"]) for one in upgraded.after if one.kind == ROUTE}


def test_what_was_protected_still_is(upgraded: Upgraded) -> None:
    def protected(resources: list[dict[str, Any]]) -> set[str]:
        return {one["id"] for one in resources if one.get("protect")}

    assert protected(upgraded.stack.state()) >= protected(earlier_state()["resources"])


def test_nothing_is_left_to_do_after_the_upgrade(upgraded: Upgraded) -> None:
    assert upgraded.stack.up().steps == []
