"""BatchProgram: a batch program in S3, under a name that its content gives: its entry, its sources and its wheels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.blocks.compute.bundle import ROOT
from components.blocks.resources import child
from components.blocks.storage.private_bucket import PrivateBucket

PREFIX = "programs/"
ARCHIVE = "program.zip"
_NOT_SOURCES = ("__pycache__", ".pyc")


@dataclass(frozen=True)
class ProgramFiles:
    """What a program consists of.

    Attributes
    ----------
    entry
        The file that is started; it unpacks the others.
    sources
        Files by their paths in the archive of sources.
    wheels
        Its packages by their paths beside the entry; none where the interpreter has them.
    """

    entry: Path
    sources: Mapping[str, Path]
    wheels: Mapping[str, Path] = field(default_factory=dict)

    def content_hash(self) -> str:
        """Hash names and contents of all files; 16 hexadecimal digits."""
        named = {**self.sources, self.entry.name: self.entry, **self.wheels}
        digest = hashlib.sha256()
        for name in sorted(named):
            digest.update(f"{name}\0{hashlib.sha256(named[name].read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()[:16]


def program_files(entry: str, folders: Sequence[str], wheels: Path | None = None, root: Path = ROOT) -> ProgramFiles:
    """List the files of a program.

    Parameters
    ----------
    entry
        File that is started, such as `handlers/batch/run.py`.
    folders
        Such as `handlers/batch`: all files in and below them, and the `__init__.py` of folders above.
    wheels
        Folder of wheels; none where the interpreter has the packages.
    root
        The project's folder.

    Raises
    ------
    FileNotFoundError
        The entry is not there, or a folder holds no files.
    """
    if not (root / entry).is_file():
        raise FileNotFoundError(f"No file {entry}: the entry of a program is given as 'handlers/<folder>/<file>.py'")
    files: dict[str, Path] = {}
    for folder in folders:
        found = [path for path in (root / folder).rglob("*") if path.is_file() and not _is_made(path)]
        if not found:
            raise FileNotFoundError(f"No files in {folder}: a program's folders are given as 'handlers/<folder>'")
        above = [root / parent / "__init__.py" for parent in Path(folder).parents if parent != Path()]
        found += [path for path in above if path.is_file()]
        files |= {path.relative_to(root).as_posix(): path for path in found}
    sources = {name: files[name] for name in sorted(files)}
    packages = {f"wheels/{path.name}": path for path in sorted(wheels.iterdir())} if wheels else {}
    return ProgramFiles(root / entry, sources, packages)


class BatchProgram(pulumi.ComponentResource):
    """A program in a bucket, under `programs/<hash>/`: its entry, an archive of its sources, and a wheel a package.

    A change of any file makes another folder. The former one stays, since executions that began before go on with it.

    Parameters
    ----------
    name
        The objects' Pulumi names start with it.
    bucket
        Where it is put.
    files
        What it consists of.

    Attributes
    ----------
    prefix
        Of the objects' keys.
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
        self.prefix = f"{PREFIX}{files.content_hash()}/"
        self.entry = files.entry.name
        sources = pulumi.AssetArchive({path: pulumi.FileAsset(str(file)) for path, file in files.sources.items()})
        self._object(name, bucket, self.entry, pulumi.FileAsset(str(files.entry)))
        self._object(name, bucket, ARCHIVE, sources)
        for path, wheel in files.wheels.items():
            self._object(name, bucket, path, pulumi.FileAsset(str(wheel)))
        self.register_outputs({"prefix": self.prefix})

    def _object(self, name: str, bucket: PrivateBucket, file: str, source: pulumi.Asset | pulumi.Archive) -> None:
        key = f"{self.prefix}{file}"
        aws.s3.BucketObjectv2(
            f"{name}-{key}",
            bucket=bucket.name,
            key=key,
            source=source,
            opts=child(self, retain_on_delete=True),
        )


def _is_made(path: Path) -> bool:
    return any(part.endswith(_NOT_SOURCES) for part in path.parts)
