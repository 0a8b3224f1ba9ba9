"""Dependency layer: the packages that functions import, built for Lambda's platform."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.blocks.compute.bundle import ROOT
from components.blocks.compute.packages import Host, Target, WheelsError, fetch_wheels, zip_wheels

_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


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
        Last part of the layer's name, after the names of project and stack.
    requirements
        Lock file with hashes.
    runtime, architecture
        Lambda's identifiers, such as `python3.14` and `arm64`.
    for_host
        Take packages for this machine, where an embedded AWS runs the functions.
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
    folder: Path = ROOT / "build",
) -> Path:
    """Build a layer's zip file from wheels that are verified by their hashes.

    Parameters
    ----------
    requirements, runtime, architecture, for_host
        As for `dependency_layer`.
    folder
        Where wheels and layers are kept.

    Returns
    -------
    The zip file, named by its content. It is made anew each time and written only if it is not there already, so a
    damaged file is never deployed.

    Raises
    ------
    pulumi.RunError
        A package has no wheel for this platform, or the package index cannot be reached.
    """
    target = Host() if for_host else lambda_target(runtime, architecture)
    try:
        content = zip_wheels(fetch_wheels(requirements, target, folder / "wheels"), "python/")
    except WheelsError as error:
        raise pulumi.RunError(str(error)) from error
    archive = folder / "layers" / f"{hashlib.sha256(content).hexdigest()[:16]}-{runtime}-{architecture}.zip"
    if not archive.exists() or archive.read_bytes() != content:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=archive.parent) as temporary:
            unfinished = Path(temporary) / "layer.zip"
            unfinished.write_bytes(content)
            unfinished.replace(archive)  # in one step: another process may be reading it
    return archive


def lambda_target(runtime: str, architecture: str) -> Target:
    """Describe the platform of a Lambda runtime.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: Python 3.11 runs on Amazon Linux 2 (glibc 2.26),
    later ones on Amazon Linux 2023 (glibc 2.34).
    """
    return Target(
        python_version=runtime.removeprefix("python"),
        machine=_MACHINES[architecture],
        glibc_minor=26 if runtime == "python3.11" else 34,
    )
