"""Wheels: the packages of a batch program, for a container that installs nothing from the network."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.blocks.compute.bundle import ROOT
from components.blocks.compute.packages import Target, WheelsError, fetch_wheels

# The oldest system among SageMaker's current images and the project's own: Amazon Linux 2023.
# https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
_GLIBC_MINOR = 34


def download_wheels(
    requirements: Path, python_version: str, machine: str = "x86_64", folder: Path = ROOT / "build" / "wheels"
) -> Path:
    """Download pinned wheels for a SageMaker container, or reuse wheels downloaded before.

    Parameters
    ----------
    requirements
        Lock file with hashes.
    python_version
        Version of the container's Python, such as `3.12`.
    machine
        Processor of the instances: `x86_64` or `aarch64`.
    folder
        Where wheels are kept.

    Returns
    -------
    A folder with the wheels and nothing else, each verified by the hash that the lock file has.

    Raises
    ------
    pulumi.RunError
        A package has no wheel for this platform, or the package index cannot be reached.
    """
    try:
        return fetch_wheels(requirements, Target(python_version, machine, _GLIBC_MINOR), folder)
    except WheelsError as error:
        raise pulumi.RunError(str(error)) from error
