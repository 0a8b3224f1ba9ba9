"""Deploys the program to an embedded AWS, and makes the same resources on a second one with bare boto3.

Run as ``python -m bench.deployment_run``, which prints the times as JSON: in a process of its own, importing Pulumi
counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.aws.embedded_aws import EmbeddedAws


@dataclass(frozen=True)
class Made:
    """A resource that was made: its type, physical name and inputs, and what AWS answered."""

    type: str
    unique: str
    inputs: dict[str, Any]
    identity: str
    outputs: dict[str, Any]


Recorded = list[Made]


def main() -> None:
    """Deploy, make the same again, print both times."""
    with EmbeddedAws() as aws:
        port = int(aws.endpoint.rpartition(":")[2])
        started = time.perf_counter()
        recorded = _deploy(aws)
        program = time.perf_counter() - started
    # On the same port, because the addresses of queues have it in them and policies name what they protect.
    with EmbeddedAws(port=port) as aws:
        bare = _make_again(aws, recorded)
    print(json.dumps({"resources": len(recorded), "program": program, "bare": bare}))


def _deploy(aws: EmbeddedAws) -> Recorded:
    """Deploy the program; returns what was made, in order."""
    from local.deploy.creators import CREATORS
    from local.deploy.creators.common import Context, Created, Creator, Inputs
    from local.deploy.stack import deploy_to

    recorded: Recorded = []

    def recording(kind: str, create: Creator) -> Creator:
        def create_and_record(context: Context, inputs: Inputs) -> Created:
            created = create(context, inputs)
            recorded.append(Made(kind, context.unique, dict(inputs), *created))
            return created

        return create_and_record

    originals = dict(CREATORS)
    CREATORS.update({kind: recording(kind, create) for kind, create in originals.items()})
    try:
        deploy_to(aws)
    finally:
        CREATORS.update(originals)
    return recorded


def _make_again(aws: EmbeddedAws, recorded: Recorded) -> float:
    """Make resources one after another; returns the seconds it takes, without those of putting in new names."""
    from local.deploy.creators import CREATORS, Context

    client: Callable[[str], Any] = aws.client
    new_names: dict[str, str] = {}
    seconds = 0.0
    for made in recorded:
        inputs = _renamed(made.inputs, new_names)
        started = time.perf_counter()
        identity, outputs = CREATORS[made.type](Context(client, made.unique), inputs)
        seconds += time.perf_counter() - started
        before, after = {"": made.identity, **made.outputs}, {"": identity, **outputs}
        for key, old in before.items():
            if isinstance(old, str) and old != after[key]:
                new_names[old] = after[key]
    return seconds


def _renamed(value: Any, new_names: Mapping[str, str]) -> Any:
    """Replace names that AWS had generated, wherever they are in inputs, by those of their successors."""
    if isinstance(value, str):
        for old in sorted(new_names, key=len, reverse=True):
            value = value.replace(old, new_names[old])
    elif isinstance(value, Mapping):
        return {key: _renamed(one, new_names) for key, one in value.items()}
    elif isinstance(value, list):
        return [_renamed(one, new_names) for one in value]
    return value


if __name__ == "__main__":
    main()
