"""Dependency layer: the packages that functions import, built for Lambda's platform."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.blocks.compute.bundle import ROOT

# Lambda's Python 3.11 runs on Amazon Linux 2 (glibc 2.26), later ones on Amazon Linux 2023 (glibc 2.34).
_OLDER = ("manylinux2014", "manylinux_2_17", "manylinux_2_24", "manylinux_2_26")
_NEWER = ("manylinux_2_27", "manylinux_2_28", "manylinux_2_34")
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip file can hold
_PIP_SECONDS = 300
# To be raised when layers are built another way, so that those of before are not used again.
_FORMAT = "1"


def dependency_layer(
    name: str,
    requirements: Path,
    runtime: str,
    architecture: str,
    for_host: bool = False,
    opts: pulumi.ResourceOptions | None = None,
) -> aws.lambda_.LayerVersion:
    """Make a layer of pinned packages.

    Parameters
    ----------
    name
        The layer's name ends with it, behind the names of project and stack.
    requirements
        Lock file with hashes.
    runtime, architecture
        As Lambda names them.
    for_host
        Take packages for this machine's operating system, where an embedded AWS runs the functions.
    """
    archive = build_layer(requirements, runtime, architecture, for_host)
    return aws.lambda_.LayerVersion(
        name,
        layer_name=f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}",
        code=pulumi.FileArchive(str(archive)),
        compatible_runtimes=[runtime],
        compatible_architectures=[architecture],
        opts=opts,
    )


def build_layer(
    requirements: Path,
    runtime: str,
    architecture: str,
    for_host: bool = False,
    folder: Path = ROOT / "build" / "layers",
) -> Path:
    """Build a layer's zip file, or find the one that was built of the same requirements.

    Returns
    -------
    The file; its bytes depend on nothing but the arguments and the lock file.

    Raises
    ------
    LayerError
        A package is not there for this platform, or cannot be reached.
    """
    platform = sys.platform if for_host else "linux"
    identity = f"{_FORMAT}\n{requirements.read_text()}\n{runtime}\n{architecture}\n{platform}"
    archive = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}-{runtime}-{architecture}.zip"
    if archive.exists():
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        _install(requirements, runtime, architecture, for_host, Path(temporary) / "python")
        unfinished = Path(temporary) / "layer.zip"
        _zip(Path(temporary) / "python", unfinished)
        unfinished.replace(archive)  # at once: another process may be looking for it
    return archive


class LayerError(pulumi.RunError):
    """The dependency layer cannot be built; the message has pip's reasons."""


def _install(requirements: Path, runtime: str, architecture: str, for_host: bool, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += [
        "--no-compile",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--target",
        str(target),
    ]
    if not for_host:
        version = runtime.removeprefix("python")
        command += ["--implementation", "cp", "--python-version", version]
        platforms = _OLDER if runtime == "python3.11" else _OLDER + _NEWER
        command += [f"--platform={platform}_{_MACHINES[architecture]}" for platform in platforms]
    command += ["--requirement", str(requirements)]
    try:
        done = subprocess.run(  # noqa: S603 - nothing in the command comes from outside the project
            command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LayerError(f"The layer of {requirements.name}: pip took longer than {_PIP_SECONDS} seconds") from error
    if done.returncode:
        raise LayerError(f"The layer of {requirements.name} for {runtime} on {architecture}:\n{done.stderr.strip()}")
    shutil.rmtree(target / "bin", ignore_errors=True)  # scripts name the interpreter that installed them


def _zip(folder: Path, archive: Path) -> None:
    """Zip a folder so that the same files make the same bytes: sorted, without times and owners."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(folder.rglob("*")):
            if path.is_dir() or "__pycache__" in path.parts or path.name == "RECORD":
                continue
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
            zipped.writestr(entry, path.read_bytes())
