"""The job that SageMaker asks for: the container's environment variables and files, as one typed object.

Paths: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from handlers.batch.documents.registry import Limits
from handlers.batch.documents.word_package import WordLimits
from handlers.batch.errors import JobError
from handlers.common.environment import read_environment
from handlers.common.job_options import OPTIONS_OF_KIND
from schema.job_kind import JobKind
from schema.jobs import KINDS, MERGE, PARTS_PREFIX

if TYPE_CHECKING:
    KindName = str
else:
    KindName = Literal[(*KINDS, MERGE)]
T = TypeVar("T")
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Workers = Annotated[int, msgspec.Meta(ge=1, le=64)]


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Environment variables of the job; their names are these in upper case.

    Attributes
    ----------
    job_kind
        Kind of the job. `merge` puts together what the instances of another job have left.
    job_options
        JSON object of the kind's options; ignored by `merge`.
    processing_root
        Folder of all channels.
    document_seconds
        Longest time for one document; less when the job ends before.
    max_characters
        Characters that the job may send to paid services, each counted once; any number when absent.
    max_document_characters
        Longest text of a document, in characters.
    max_document_bytes
        Largest file that is read.
    max_expanded_bytes
        Largest size that a compressed document may declare for its contents.
    max_pages
        Longest Word document; text formats have no pages.
    document_workers
        Documents that are worked on at the same time; absent: as many as the kind of job is made for.
    memory_bytes
        Memory of the machine that the job may use; absent: what the container or the machine has.
    request_workers
        Requests to Amazon Translate or Amazon Comprehend at the same time.
    """

    job_kind: KindName
    job_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    job_options: str = "{}"
    processing_root: str = "/opt/ml/processing"
    document_seconds: Annotated[float, msgspec.Meta(gt=0)] = 1800
    max_characters: _Count | None = None
    max_document_characters: _Count = 25_000_000
    max_document_bytes: _Count = 300_000_000
    max_expanded_bytes: _Count = 200_000_000
    max_pages: _Count = 400
    document_workers: _Workers | None = None
    memory_bytes: _Count | None = None
    request_workers: _Workers = 16


class ResourceConfig(msgspec.Struct, frozen=True):
    """The instances of the job, as `/opt/ml/config/resourceconfig.json` names them."""

    current_host: str = "algo-1"
    hosts: list[str] = msgspec.field(default_factory=lambda: ["algo-1"])


class _StoppingCondition(msgspec.Struct, frozen=True, rename="pascal"):
    max_runtime_in_seconds: float | None = None


class _JobDescription(msgspec.Struct, frozen=True, rename="pascal"):
    """What the program needs of `/opt/ml/config/processingjobconfig.json`."""

    stopping_condition: _StoppingCondition = _StoppingCondition()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as this instance sees it.

    Attributes
    ----------
    options
        Options of the job, of the type that its kind declares; None for `merge`.
    seconds
        Time limit of the job; None where nothing tells.
    """

    environment: Environment
    options: Any
    resources: ResourceConfig
    seconds: float | None = None

    @property
    def kind(self) -> JobKind | None:
        """Kind of the job; None for `merge`."""
        return KINDS.get(self.environment.job_kind)

    @property
    def root(self) -> Path:
        """Folder of all channels."""
        return Path(self.environment.processing_root)

    @property
    def documents(self) -> Path:
        """Folder of the documents of this instance."""
        return self.root / "input" / "documents"

    @property
    def model(self) -> Path:
        """Folder of the model, for engines that have one."""
        return self.root / "input" / "model"

    @property
    def parts(self) -> Path:
        """Folder of what other instances have left, for `merge`."""
        return self.root / "input" / "parts"

    @property
    def output(self) -> Path:
        """Folder that is uploaded when the job ends."""
        return self.root / "output"

    @property
    def part(self) -> Path:
        """Folder of what this one of several instances leaves for `merge`."""
        return self.output / PARTS_PREFIX / self.resources.current_host

    @property
    def is_alone(self) -> bool:
        """Whether the job has no other instance."""
        return len(self.resources.hosts) == 1

    @property
    def folder(self) -> Path:
        """Folder of this instance's results: that of the job, or its part of it."""
        return self.output if self.is_alone else self.part

    @property
    def max_characters(self) -> int | None:
        """Characters that this instance may send: an equal share of the job's; None for any number."""
        of_job = self.environment.max_characters
        return None if of_job is None else of_job // len(self.resources.hosts)

    @property
    def limits(self) -> Limits:
        """Limits of the documents that are read."""
        environment = self.environment
        return Limits(environment.max_document_bytes, WordLimits(environment.max_expanded_bytes, environment.max_pages))

    def document_names(self) -> list[str]:
        """List the documents of this instance by their paths below `documents`, sorted."""
        folder = self.documents
        files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(folder).as_posix() for path in files)


def read_job(environment: Mapping[str, str] = os.environ) -> Job:
    """Read what this instance has to do.

    Raises
    ------
    JobError
        Something is missing or wrong; the message names the variable and the field.
    """
    try:
        settings = read_environment(Environment, environment)
    except msgspec.ValidationError as error:
        raise JobError(f"Environment variables: {error}") from error
    kind = OPTIONS_OF_KIND.get(settings.job_kind)
    try:
        options = msgspec.json.decode(settings.job_options, type=kind) if kind else None
    except msgspec.DecodeError as error:  # of which ValidationError is one
        raise JobError(f"JOB_OPTIONS of a job of kind {settings.job_kind}: {error}") from error
    root = Path(settings.processing_root)
    return Job(environment=settings, options=options, resources=_resources(root), seconds=_seconds(root))


def config_file(root: Path, name: str) -> Path:
    """Path of a file of the container's configuration, which lies beside the folder of the channels."""
    return root.parent / "config" / name


def exit_message_file(root: Path) -> Path:
    """Path of the text that SageMaker reports as the job's `ExitMessage`."""
    return root.parent / "output" / "message"


def _resources(root: Path) -> ResourceConfig:
    resources = _read_config(root, "resourceconfig.json", ResourceConfig)
    if resources.current_host not in resources.hosts:
        raise JobError(f"resourceconfig.json: `current_host` {resources.current_host} is none of `hosts`")
    return resources


def _seconds(root: Path) -> float | None:
    return _read_config(root, "processingjobconfig.json", _JobDescription).stopping_condition.max_runtime_in_seconds


def _read_config(root: Path, name: str, kind: type[T]) -> T:
    """Read a file of the container's configuration; the defaults of its type where there is none."""
    path = config_file(root, name)
    if not path.exists():
        return kind()
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise JobError(f"{name}: {error}") from error
