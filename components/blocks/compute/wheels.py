"""Wheels: the packages of a batch program, for a container that installs nothing from the network."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import pulumi

from components.blocks.compute.bundle import ROOT

# SageMaker's current images are Ubuntu 22.04 (glibc 2.35) on x86_64; pip takes wheels for these and older systems.
_PLATFORMS = ("manylinux_2_35", "manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27")
_OLDER_PLATFORMS = ("manylinux_2_24", "manylinux_2_17", "manylinux2014")
_PIP_SECONDS = 900  # some packages are hundreds of megabytes


class WheelsError(pulumi.RunError):
    """The wheels cannot be had; the message has pip's reasons."""


def download_wheels(
    requirements: Path, python_version: str, machine: str = "x86_64", folder: Path = ROOT / "build" / "wheels"
) -> Path:
    """Download pinned wheels, or find those that were downloaded for the same lock file.

    Parameters
    ----------
    requirements
        Lock file with hashes.
    python_version
        Of the container's Python, such as `3.12`.
    machine
        Processor of the instances: `x86_64` or `aarch64`.
    folder
        Where they are kept.

    Returns
    -------
    A folder with the wheels and nothing else; their bytes are those that the lock file names.

    Raises
    ------
    WheelsError
        A package is not there as a wheel for this platform, or cannot be reached.
    """
    identity = f"{requirements.read_text()}\n{python_version}\n{machine}"
    wheels = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}-{python_version}-{machine}"
    if wheels.exists():
        return wheels
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        unfinished = Path(temporary) / "wheels"
        _download(requirements, python_version, machine, unfinished)
        unfinished.rename(wheels)  # at once: another process may be looking for it
    return wheels


def _download(requirements: Path, python_version: str, machine: str, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(target)]
    command += ["--implementation", "cp", "--python-version", python_version]
    command += [f"--platform={platform}_{machine}" for platform in _PLATFORMS + _OLDER_PLATFORMS]
    command += ["--requirement", str(requirements)]
    done = subprocess.run(  # noqa: S603 - nothing in the command comes from outside the project
        command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False
    )
    if done.returncode:
        raise WheelsError(
            f"The wheels of {requirements.name} for Python {python_version} on {machine}:\n{done.stderr.strip()}"
        )
