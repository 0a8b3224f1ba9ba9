"""Pulumi without an engine: evaluates programs and components, and remembers the resources they declare."""

from __future__ import annotations

import contextvars
import gc
import json
import runpy
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import yaml
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.settings import ROOT
from pulumi.runtime.stack import Stack

from local.deploy.event_loop import event_loops
from tests.support.aliases import Alias, alias_of

ROOT_FOLDER = Path(__file__).resolve().parents[2]
ACCOUNT = "123456789012"
REGION = "eu-central-1"
# Pulumi's auto-names end in a hyphen and seven random hex digits.
SUFFIX = "-0a1b2c3"
KEY_ID = "11111111-2222-3333-4444-555555555555"
POOL_ID = f"{REGION}_AbCdEfGhI"
API_ID = "a1b2c3d4e5"
# What AWS makes of each type: its ARN, and the names of the outputs that hold its physical name and id.
_ARNS = {
    "aws:acm/certificate:Certificate": "acm:{region}:{account}:certificate/" + KEY_ID,
    "aws:cloudwatch/eventRule:EventRule": "events:{region}:{account}:rule/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:{name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "aws:cognito/userPool:UserPool": "cognito-idp:{region}:{account}:userpool/" + POOL_ID,
    "aws:dynamodb/table:Table": "dynamodb:{region}:{account}:table/{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    "aws:kms/key:Key": "kms:{region}:{account}:key/" + KEY_ID,
    "aws:lambda/function:Function": "lambda:{region}:{account}:function:{name}",
    "aws:lambda/layerVersion:LayerVersion": "lambda:{region}:{account}:layer:{name}:1",
    "aws:s3/bucket:Bucket": "s3:::{name}",
    "aws:sfn/stateMachine:StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "aws:sns/topic:Topic": "sns:{region}:{account}:{name}",
    "aws:sqs/queue:Queue": "sqs:{region}:{account}:{name}",
    "aws:wafv2/webAcl:WebAcl": "wafv2:{region}:{account}:regional/webacl/{name}/" + KEY_ID,
}


def arn_of(kind: str, name: str) -> str:
    """ARN that the mocks give to the resource of a type, such as `aws:sqs/queue:Queue`, by its logical name."""
    return _arn(kind, name + SUFFIX)


def url_of(name: str) -> str:
    """URL that the mocks give to a queue, by its logical name."""
    return _url(name + SUFFIX)


def _arn(kind: str, physical: str) -> str:
    return "arn:aws:" + _ARNS[kind].format(region=REGION, account=ACCOUNT, name=physical)


def _url(physical: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{physical}"


@dataclass(frozen=True, eq=False)
class Declared:
    """A resource that a program declared.

    Attributes
    ----------
    inputs
        As the provider gets them; `Unknown` where a preview cannot tell.
    parent
        `None` where it is the stack.
    depends_on
        What is made before it, be it for an input or on demand.
    aliases
        Former places of the resource, as the engine gets them.
    delete_before_replace
        Where it is replaced, the old one goes first.
    """

    type: str
    name: str
    custom: bool
    inputs: dict[str, Any] = field(repr=False)
    parent: Declared | None = field(repr=False)
    protect: bool = field(repr=False)
    depends_on: tuple[Declared, ...] = field(repr=False)
    aliases: tuple[Alias, ...] = field(repr=False)
    delete_before_replace: bool = field(repr=False)


@dataclass(frozen=True)
class Evaluation:
    """What the evaluation of a program gave.

    Attributes
    ----------
    exports
        Names of the program's exports.
    outputs
        Their values; empty in a preview.
    result
        What the program's function returned, with outputs resolved; `None` in a preview.
    """

    resources: list[Declared]
    exports: set[str]
    outputs: dict[str, Any]
    result: Any

    def of(self, kind: str) -> list[Declared]:
        """All resources of a type, by name."""
        return sorted((one for one in self.resources if one.type == kind), key=lambda one: one.name)

    def one(self, kind: str, name: str | None = None) -> Declared:
        """The only resource of a type, or the only one of this name."""
        found = [one for one in self.of(kind) if name in (None, one.name)]
        assert len(found) == 1, f"{len(found)} resources {kind} {name or ''}, of {self.of(kind)}"
        return found[0]

    def document(self, kind: str, name: str | None = None, key: str = "policy") -> dict[str, Any]:
        """An input that is a JSON text, parsed."""
        return json.loads(self.one(kind, name).inputs[key])

    def unknown_inputs(self) -> set[tuple[str, str]]:
        """Logical name and input's name of all that a preview cannot tell, at the top level of inputs."""
        return {(one.name, key) for one in self.resources for key, value in one.inputs.items() if _is_unknown(value)}

    def children(self, kind: str, name: str | None = None) -> Counter[str]:
        """How many children of each type a component has."""
        component = self.one(kind, name)
        return Counter(one.type for one in self.resources if one.parent is component)


def _is_unknown(value: Any) -> bool:
    return isinstance(value, Unknown)


class _Mocks(pulumi.runtime.Mocks):
    def __init__(self, preview: bool) -> None:
        self._preview = preview

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return None, args.inputs
        if self._preview:
            return "", args.inputs  # nothing that AWS makes is known yet
        identity, outputs = made_by_aws(args.typ, args.name + SUFFIX, args.inputs)
        return identity, {**args.inputs, **outputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError(f"The program asks AWS for {args.token}: a preview would need credentials")


class _RecordingMonitor(MockMonitor):
    def __init__(self, mocks: _Mocks) -> None:
        super().__init__(mocks)
        self.declared: dict[str, Declared] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        urn = self.make_urn(request.parent, request.type, request.name)
        assert urn not in self.declared, f"two resources have the URN {urn}"
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.declared[urn] = Declared(
                request.type,
                request.name,
                request.custom,
                rpc.deserialize_properties(request.object, keep_unknowns=True),
                self.declared.get(request.parent),
                request.protect,
                tuple(self.declared[urn] for urn in sorted(request.dependencies)),
                tuple(alias_of(alias.spec) for alias in request.aliases),
                request.deleteBeforeReplace,
            )
        return response


def made_by_aws(kind: str, physical: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Id and outputs that AWS gives to a new resource.

    Parameters
    ----------
    kind
        The resource's type, such as `aws:sqs/queue:Queue`.
    physical
        Its name on AWS.
    inputs
        As the provider gets them.
    """
    outputs: dict[str, Any] = {"name": inputs.get("name") or physical}
    if kind in _ARNS:
        outputs["arn"] = _arn(kind, physical)
    physical = inputs.get("layerName") or physical
    if kind == "aws:s3/bucket:Bucket":
        outputs["bucket"] = physical
    if kind == "aws:sqs/queue:Queue":
        outputs["url"] = _url(physical)
    if kind == "aws:kms/key:Key":
        outputs["keyId"] = KEY_ID
    if kind == "aws:cognito/userPool:UserPool":
        return POOL_ID, {**outputs, "endpoint": f"cognito-idp.{REGION}.amazonaws.com/{POOL_ID}"}
    if kind == "aws:apigatewayv2/api:Api":
        return API_ID, {**outputs, **_addresses_of_api()}
    if kind == "aws:acm/certificate:Certificate":
        outputs["domainValidationOptions"] = [
            {
                "domainName": inputs["domainName"],
                "resourceRecordName": f"_name.{inputs['domainName']}.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_value.acm-validations.aws.",
            }
        ]
    if kind == "aws:apigatewayv2/domainName:DomainName":
        regional = {"targetDomainName": f"d-target.execute-api.{REGION}.amazonaws.com", "hostedZoneId": "Z2REGIONAL"}
        outputs["domainNameConfiguration"] = {**inputs["domainNameConfiguration"], **regional}
    return outputs.get("url") or outputs.get("keyId") or physical, outputs


def _addresses_of_api() -> dict[str, str]:
    return {
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}",
        "apiEndpoint": f"https://{API_ID}.execute-api.{REGION}.amazonaws.com",
    }


def evaluate(
    build: Callable[[], Any], config: dict[str, str] | None = None, stack: str = "dev", preview: bool = False
) -> Evaluation:
    """Run a function as a Pulumi program, wait for all its resources and outputs, and tell what it declared.

    Parameters
    ----------
    build
        Declares resources; may return an output, or a list or dictionary with outputs, to have it resolved.
    config
        The stack's settings, as Pulumi hands them to a program.
    preview
        As `pulumi preview` on an empty account: nothing that AWS makes is known.
    """
    # A context of its own, so that neither mocks nor settings are left behind for other tests.
    return contextvars.copy_context().run(_evaluate, build, config or {}, stack, preview)


def _evaluate(build: Callable[[], Any], config: dict[str, str], stack: str, preview: bool) -> Evaluation:
    mocks = _Mocks(preview)
    monitor = _RecordingMonitor(mocks)
    exported: dict[str, Any] = {}
    resolved: dict[str, Any] = {}

    @pulumi.runtime.test
    def run() -> pulumi.Output[None]:
        result = build()
        root = pulumi.runtime.get_root_resource()
        assert isinstance(root, Stack)
        exported.update(root.outputs)
        return pulumi.Output.all(result=result, outputs=pulumi.Output.all(**exported)).apply(resolved.update)

    with event_loops(), _without_garbage_collection(), _without_source_positions():
        ROOT.set(None)
        pulumi.runtime.set_mocks(mocks, "cloud-nlp", stack, preview, monitor=monitor)
        pulumi.runtime.set_all_config(config)
        run()
    resources = sorted(monitor.declared.values(), key=lambda one: (one.type, one.name))
    return Evaluation(resources, set(exported), resolved.get("outputs", {}), resolved.get("result"))


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Collect no garbage, now or later: looking for it takes half of an evaluation, which makes many objects at once.

    What an evaluation of the whole program leaves in memory for it takes 20 MB.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _without_source_positions() -> AbstractContextManager[Any]:
    """Let Pulumi not look up where each resource is declared: under pytest's deep stack that takes 40 % of the time."""
    return mock.patch("pulumi.runtime.resource._get_stack_trace", return_value=source_pb2.StackTrace())


def stack_config(stack: str) -> dict[str, str]:
    """Settings of one of the project's stacks, as Pulumi hands them to a program."""
    config = yaml.safe_load((ROOT_FOLDER / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def evaluate_program(stack: str, changes: dict[str, str] | None = None, preview: bool = False) -> Evaluation:
    """Evaluate the project's program for one of its stacks, with some settings changed, without fetching packages.

    An evaluation takes a second, so that one is kept for whoever asks for the same again.
    """
    return _evaluate_program(stack, tuple(sorted((changes or {}).items())), preview)


def evaluate_program_anew(stack: str, changes: dict[str, str]) -> Evaluation:
    """Evaluate the project's program for one of its stacks, whatever was evaluated before."""
    return _evaluate_program.__wrapped__(stack, tuple(sorted(changes.items())), False)


@cache
def _evaluate_program(stack: str, changes: tuple[tuple[str, str], ...], preview: bool) -> Evaluation:
    with (
        tempfile.TemporaryDirectory() as wheels,
        mock.patch("components.blocks.compute.layer.build_layer", return_value=Path("layer.zip")),
        mock.patch("components.blocks.compute.wheels.download_wheels", return_value=Path(wheels)),
    ):
        (Path(wheels) / "package.whl").write_text("wheel")
        return evaluate(
            lambda: runpy.run_path(str(ROOT_FOLDER / "__main__.py"), run_name="__main__") and None,
            {**stack_config(stack), **dict(changes)},
            stack,
            preview,
        )
