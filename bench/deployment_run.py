"""Deploys the program to an embedded AWS, and makes the same resources on a second one with bare boto3.

Run as ``python -m bench.deployment_run``, which prints the times as JSON: in a process of its own, importing Pulumi
counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from local.embedded_aws import EmbeddedAws

Recorded = list[tuple[str, str, dict[str, Any]]]


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
    """Deploy the program; returns type, physical name and inputs of what was made, in order."""
    from local import resources
    from local.stack import deploy_to

    recorded: Recorded = []

    def recording(kind: str, create: resources.Creator) -> resources.Creator:
        def create_and_record(context: resources.Context, inputs: resources.Inputs) -> resources.Created:
            created = create(context, inputs)
            recorded.append((kind, context.unique, dict(inputs)))
            return created

        return create_and_record

    originals = dict(resources.CREATORS)
    resources.CREATORS.update({kind: recording(kind, create) for kind, create in originals.items()})
    try:
        deploy_to(aws)
    finally:
        resources.CREATORS.update(originals)
    return recorded


def _make_again(aws: EmbeddedAws, recorded: Recorded) -> float:
    """Make resources one after another; returns the seconds it takes."""
    from local.resources import CREATORS, Context

    client: Callable[[str], Any] = aws.client
    started = time.perf_counter()
    for kind, unique, inputs in recorded:
        CREATORS[kind](Context(client, unique), inputs)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
