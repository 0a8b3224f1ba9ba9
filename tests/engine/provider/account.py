"""An AWS account made of the requests that were recorded: what exists, and what AWS would refuse."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.engine.provider.aws_types import aws_type
from tests.support.pulumi_mocks import made_by_aws


class RefusedError(Exception):
    """AWS would refuse a request; the message says why."""


@dataclass(frozen=True)
class Request:
    """A request of the engine to the provider.

    Attributes
    ----------
    method
        Such as `Create`, or `Invoke`.
    urn
        Of the resource; empty where the request is about none.
    id
        The resource's id on AWS, once it has one.
    preview
        Nothing is to be changed.
    inputs
        Of the resource, or arguments of the request.
    """

    method: str
    urn: str = ""
    id: str = ""
    preview: bool = False
    inputs: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The resource's type."""
        return kind_of(self.urn)

    @property
    def changes_account(self) -> bool:
        """Whether something on AWS is different afterwards."""
        return self.method in ("Create", "Update", "Delete") and not self.preview


def kind_of(urn: str) -> str:
    """Type in a URN: `urn:pulumi:dev::cloud-nlp::parent$aws:sqs/queue:Queue::name`."""
    return urn.split("::")[2].rpartition("$")[2] if urn else ""


class Recording:
    """Requests in a file, a JSON object per line; safe for several threads of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def add(self, *requests: Request) -> None:
        """Write requests at the end of the file."""
        lines = "".join(f"{json.dumps(asdict(request))}\n" for request in requests)
        with self._lock, self._path.open("a") as file:
            file.write(lines)

    def requests(self) -> list[Request]:
        """All requests, in their order."""
        return list(self._read())

    def _read(self) -> Iterator[Request]:
        if self._path.exists():
            with self._path.open() as file:
                for line in file:
                    yield Request(**json.loads(line))


class Account:
    """What exists on AWS after the requests of a recording; further requests are checked and recorded.

    Methods may be called by several threads at once.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lock = threading.Lock()
        self._there: dict[tuple[str, str], Request] = {}
        self._made = 0
        for request in recording.requests():
            if request.changes_account:
                self._apply(request)

    def resources(self) -> list[Request]:
        """The request that each existing resource is as it is by, ordered by type and id."""
        return [self._there[key] for key in sorted(self._there)]

    def exists(self, urn: str, identity: str) -> bool:
        """Whether AWS has a resource."""
        with self._lock:
            return (kind_of(urn), identity) in self._there

    def create(self, urn: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create a resource.

        Returns
        -------
        Its id and outputs.

        Raises
        ------
        RefusedError
            AWS has one already that this one cannot be beside.
        """
        with self._lock:
            kind = kind_of(urn)
            physical = inputs.get(aws_type(kind).name or "layerName") or self._random_id(urn)
            identity, outputs = made_by_aws(kind, physical, inputs)
            if aws_type(kind).versioned:
                version = str(self._made)
                identity = f"{identity}:{version}"
                outputs = {**outputs, "version": version, "arn": f"{outputs['arn'].rpartition(':')[0]}:{version}"}
            if (kind, identity) in self._there:
                raise RefusedError(f"{kind} {identity} exists already")
            self._refuse_second(kind, identity, inputs)
            self._record(Request("Create", urn, identity, inputs=inputs))
            return identity, outputs

    def update(self, urn: str, identity: str, inputs: dict[str, Any]) -> None:
        """Change a resource.

        Raises
        ------
        RefusedError
            AWS has no such resource, or another one that this one then cannot be beside.
        """
        with self._lock:
            kind = kind_of(urn)
            if (kind, identity) not in self._there:
                raise RefusedError(f"{kind} {identity} does not exist")
            self._refuse_second(kind, identity, inputs)
            self._record(Request("Update", urn, identity, inputs=inputs))

    def delete(self, urn: str, identity: str) -> None:
        """Delete a resource; nothing happens where there is none."""
        with self._lock:
            self._record(Request("Delete", urn, identity))

    def _record(self, request: Request) -> None:
        self._recording.add(request)
        self._apply(request)

    def _apply(self, request: Request) -> None:
        if request.method == "Delete":
            self._there.pop((request.kind, request.id), None)
        else:
            self._there[request.kind, request.id] = request
            self._made += 1

    def _random_id(self, urn: str) -> str:
        digits = hashlib.sha256(f"{urn} {self._made}".encode()).hexdigest()[:7]
        return f"{urn.rpartition('::')[2]}-{digits}"

    def _refuse_second(self, kind: str, identity: str, inputs: dict[str, Any]) -> None:
        for rule in aws_type(kind).unique:
            for (other_kind, other_id), other in self._there.items():
                if other_kind != kind or other_id == identity:
                    continue
                if all(other.inputs.get(key) == inputs.get(key) for key in rule):
                    values = ", ".join(f"{key} {inputs.get(key)!r}" for key in rule)
                    raise RefusedError(f"{kind} with {values} exists already: {other_id}")
