"""BatchProgram: a batch program in S3. The prefixes of its sources and wheels are named after their contents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.blocks.compute.bundle import ROOT, imported_files
from components.blocks.resources import child
from components.blocks.storage.private_bucket import PrivateBucket
from schema.projects import PROGRAMS_PREFIX

WHEELS_PREFIX = f"{PROGRAMS_PREFIX}wheels/"
ARCHIVE = "program.zip"


@dataclass(frozen=True)
class ProgramFiles:
    """Files of a program.

    Attributes
    ----------
    entry
        The file that is started; it unpacks the others.
    sources
        Files by their paths in the archive of sources.
    wheels
        Wheels by their file names; none where the interpreter has the packages.
    """

    entry: Path
    sources: Mapping[str, Path]
    wheels: Mapping[str, Path] = field(default_factory=dict)

    def sources_hash(self) -> str:
        """Hash names and contents of the entry and the sources; 16 hexadecimal digits."""
        return _content_hash({**self.sources, self.entry.name: self.entry})

    def wheels_hash(self) -> str:
        """Hash names and contents of the wheels; 16 hexadecimal digits."""
        return _content_hash(self.wheels)


def program_files(
    entry: str,
    wheels: Path | None = None,
    root: Path = ROOT,
    imported_by_name: Mapping[str, Sequence[str]] | None = None,
) -> ProgramFiles:
    """List the files of a program: the entry's modules and all that they import, also inside functions.

    Parameters
    ----------
    entry
        Path of the started file below `root`, such as `handlers/batch/run.py`.
    wheels
        Folder of wheels; none where the interpreter has the packages.
    root
        Folder that holds the top-level packages.
    imported_by_name
        Modules that are imported by name at run time, by the module that imports them.

    Raises
    ------
    FileNotFoundError
        There is no such module.
    DynamicImportError
        A module that is not in `imported_by_name` imports by name at run time.
    """
    packages = {path.name: path for path in sorted(wheels.iterdir())} if wheels else {}
    return ProgramFiles(root / entry, imported_files(entry, root, imported_by_name), packages)


class BatchProgram(pulumi.ComponentResource):
    """A program in a bucket: sources under `programs/<hash>/`, wheels under `programs/wheels/<hash>/`.

    A changed source creates a new folder of sources, and a changed set of wheels a new folder of wheels. Neither change
    uploads the files of the other. Replaced folders stay in the bucket: an execution that began before a deployment
    still starts jobs with them, for instance to merge the results of several instances hours later.

    Parameters
    ----------
    name
        The objects' Pulumi names start with it.
    bucket
        Where the program is stored.
    files
        Files of the program.

    Attributes
    ----------
    prefix
        Start of the keys of the entry and the archive of sources.
    wheels_prefix
        Start of the wheels' keys; `None` for a program without wheels.
    entry
        Name of the file that is started.
    """

    def __init__(
        self,
        name: str,
        *,
        bucket: PrivateBucket,
        files: ProgramFiles,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:BatchProgram", name, {}, opts)
        self.prefix = f"{PROGRAMS_PREFIX}{files.sources_hash()}/"
        self.wheels_prefix = f"{WHEELS_PREFIX}{files.wheels_hash()}/" if files.wheels else None
        self.entry = files.entry.name
        sources = pulumi.AssetArchive({path: pulumi.FileAsset(str(file)) for path, file in files.sources.items()})
        self._object(name, bucket, f"{self.prefix}{self.entry}", pulumi.FileAsset(str(files.entry)))
        self._object(name, bucket, f"{self.prefix}{ARCHIVE}", sources)
        for file, wheel in files.wheels.items():
            self._object(name, bucket, f"{self.wheels_prefix}{file}", pulumi.FileAsset(str(wheel)))
        self.register_outputs({"prefix": self.prefix, "wheels_prefix": self.wheels_prefix})

    def _object(self, name: str, bucket: PrivateBucket, key: str, source: pulumi.Asset | pulumi.Archive) -> None:
        aws.s3.BucketObjectv2(
            f"{name}-{key}",
            bucket=bucket.name,
            key=key,
            source=source,
            opts=child(self, retain_on_delete=True),
        )


def _content_hash(files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        with files[name].open("rb") as file:
            digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
