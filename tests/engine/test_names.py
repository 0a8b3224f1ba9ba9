"""Physical names on the real engine: inside AWS's limits for names of stack and components of 20 letters."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pulumi
import pytest

from tests.engine.project import Project
from tests.engine.provider.aws_types import AWS_TYPES
from tests.engine.stacks import Engine, Stack

LETTERS = 20
STACK = "twenty-letters-stack"
COMPONENT = "-of-twenty-letters"
# Longest names, https://docs.aws.amazon.com/: the type, the input that is the name, and the limit.
LIMITS = {
    "aws:apigatewayv2/api:Api": ("name", 128),
    "aws:cloudwatch/eventRule:EventRule": ("name", 64),
    "aws:cloudwatch/logGroup:LogGroup": ("name", 512),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", 255),
    "aws:cognito/userPool:UserPool": ("name", 128),
    "aws:cognito/userPoolClient:UserPoolClient": ("name", 128),
    "aws:cognito/userPoolDomain:UserPoolDomain": ("domain", 63),
    "aws:dynamodb/table:Table": ("name", 255),
    "aws:iam/role:Role": ("name", 64),
    "aws:iam/rolePolicy:RolePolicy": ("name", 128),
    "aws:lambda/function:Function": ("name", 64),
    "aws:lambda/layerVersion:LayerVersion": ("layerName", 64),
    "aws:lambda/permission:Permission": ("statementId", 100),
    "aws:s3/bucket:Bucket": ("bucket", 63),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("key", 1024),
    "aws:sfn/stateMachine:StateMachine": ("name", 80),
    "aws:sqs/queue:Queue": ("name", 80),
    "aws:wafv2/webAcl:WebAcl": ("name", 128),
}


@contextmanager
def long_names() -> Iterator[list[str]]:
    """Give the components that a program makes names of 20 letters; those that components make keep theirs.

    Yields
    ------
    The names that were given.
    """
    given: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for component in _components():
            patch.setattr(component, "__init__", _with_long_name(component.__init__, given))
        yield given


def _components() -> set[type[pulumi.ComponentResource]]:
    package = importlib.import_module("components")
    modules = [importlib.import_module(one.name) for one in pkgutil.walk_packages(package.__path__, "components.")]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return {one for one in found if issubclass(one, pulumi.ComponentResource) and "__init__" in vars(one)}


def _with_long_name(make: Any, given: list[str]) -> Any:
    @functools.wraps(make)
    def made(self: Any, name: str, *arguments: Any, **options: Any) -> None:
        opts = options.get("opts")
        if opts is None or opts.parent is None:
            name = (name + COMPONENT)[:LETTERS]
            given.append(name)
        make(self, name, *arguments, **options)

    return made


@pytest.fixture(scope="module")
def resources(engine: Engine, project: Project) -> list[dict[str, Any]]:
    """What the state of the long-named stack holds, with all that production has."""
    given: list[str] = []

    def program() -> None:
        with project.imports(), long_names() as names:
            project.run_imported()
            given.extend(names)

    stack: Stack = engine.stack(STACK, "prod", project, program)
    stack.up()
    assert given
    assert {len(name) for name in [STACK, *given]} == {LETTERS}
    return stack.state()


@pytest.mark.parametrize("kind", LIMITS)
def test_names_are_inside_the_limits(resources: list[dict[str, Any]], kind: str) -> None:
    field, limit = LIMITS[kind]
    names = [one["inputs"][field] for one in resources if one["type"] == kind]
    assert names
    assert {name: len(name) for name in names if len(name) > limit} == {}


def test_every_type_with_a_name_has_a_limit_here(resources: list[dict[str, Any]]) -> None:
    named = {one["type"] for one in resources if one["type"] in AWS_TYPES and AWS_TYPES[one["type"]].name}
    # Names inside an API, a user pool or a log group, far shorter than AWS takes.
    assert named - LIMITS.keys() <= {
        "aws:apigatewayv2/authorizer:Authorizer",
        "aws:apigatewayv2/stage:Stage",
        "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        "aws:cognito/userGroup:UserGroup",
    }


def test_names_end_in_random_digits(resources: list[dict[str, Any]]) -> None:
    for one in resources:
        for field in one.get("inputs", {}).get("__defaults", []):
            logical, _, digits = one["inputs"][field].rpartition("-")
            assert logical == one["urn"].rpartition("::")[2]
            assert len(digits) == len("0a1b2c3")
