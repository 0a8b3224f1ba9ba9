"""BatchProgram: the files of a batch program and its wheels, in S3, under a name that their content gives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.blocks.bundle import ROOT
from components.blocks.permissions import child_of
from components.blocks.private_bucket import PrivateBucket

PREFIX = "programs/"
_NOT_SOURCES = ("__pycache__", ".pyc")


def program_files(entry: str, folders: Sequence[str], wheels: Path | None = None, root: Path = ROOT) -> dict[str, Path]:
    """List the files of a program by the names that they have in the container.

    Parameters
    ----------
    entry
        File that is started, such as `handlers/batch/run.py`; it lies at the top.
    folders
        Such as `handlers/batch`: all files in and below them, and the `__init__.py` of folders above.
    wheels
        Folder of wheels, which go to `wheels/`; none where the interpreter has the packages.
    root
        The project's folder.

    Raises
    ------
    FileNotFoundError
        The entry is not there, or a folder holds no files.
    """
    if not (root / entry).is_file():
        raise FileNotFoundError(f"No file {entry}: the entry of a program is given as 'handlers/<folder>/<file>.py'")
    files = {Path(entry).name: root / entry}
    for folder in folders:
        found = [path for path in (root / folder).rglob("*") if path.is_file() and not _is_made(path)]
        if not found:
            raise FileNotFoundError(f"No files in {folder}: a program's folders are given as 'handlers/<folder>'")
        above = [root / parent / "__init__.py" for parent in Path(folder).parents if parent != Path()]
        found += [path for path in above if path.is_file()]
        files |= {path.relative_to(root).as_posix(): path for path in found}
    if wheels is not None:
        files |= {f"wheels/{path.name}": path for path in wheels.iterdir()}
    return {name: files[name] for name in sorted(files)}


def content_hash(files: Mapping[str, Path]) -> str:
    """Hash names and contents of files; 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


class BatchProgram(pulumi.ComponentResource):
    """A program in a bucket, one object a file, under `programs/<hash>/`.

    A change of any file makes another folder. The former one stays, since executions that began before go on with it.

    Parameters
    ----------
    name
        The objects' Pulumi names start with it.
    bucket
        Where it is put.
    files
        By their names in the container; one of them is started.
    entry
        Name of the file that is started.

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
        bucket: PrivateBucket,
        files: Mapping[str, Path],
        entry: str = "run.py",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:BatchProgram", name, {}, opts)
        self.prefix = f"{PREFIX}{content_hash(files)}/"
        self.entry = entry
        for file, path in files.items():
            key = f"{self.prefix}{file}"
            aws.s3.BucketObjectv2(
                f"{name}-{key}",
                bucket=bucket.name,
                key=key,
                source=pulumi.FileAsset(str(path)),
                opts=child_of(self, retain_on_delete=True),
            )
        self.register_outputs({"prefix": self.prefix})


def _is_made(path: Path) -> bool:
    return any(part.endswith(_NOT_SOURCES) for part in path.parts)
