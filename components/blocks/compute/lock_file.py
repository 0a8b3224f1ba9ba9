"""Lock files: the packages that one target needs of a lock file for all targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_HASH_OPTION = "--hash=sha256:"


@dataclass(frozen=True)
class LockedPackage:
    """One package of a lock file.

    Attributes
    ----------
    distribution
        Normalised name on the package index, such as `python-json-logger`.
    version
        The pinned version.
    hashes
        SHA-256 digests of the files that may be installed, in hexadecimal.
    """

    distribution: str
    version: Version
    hashes: tuple[str, ...]

    def line(self) -> str:
        """Write the package as a line of a requirements file, without markers."""
        pin = f"{self.distribution}=={self.version}"
        return " ".join([pin, *(f"{_HASH_OPTION}{digest}" for digest in self.hashes)])


def locked_packages(lock_file: Path, environment: Mapping[str, str]) -> list[LockedPackage]:
    """Read the packages that a target needs.

    Parameters
    ----------
    lock_file
        Requirements file with one pinned version and hashes per package, as `uv pip compile --generate-hashes` writes.
    environment
        Values of the target's environment markers, such as `python_version`.

    Raises
    ------
    ValueError
        A package has no pinned version or no hash, or the target needs two versions of it.
    """
    packages: dict[str, LockedPackage] = {}
    for line in lock_file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        words, *hashes = line.partition("#")[0].split(_HASH_OPTION)
        if not words.strip():
            continue
        requirement = Requirement(words.strip())
        if requirement.marker and not requirement.marker.evaluate(dict(environment)):
            continue
        package = _package(lock_file, requirement, tuple(digest.strip() for digest in hashes))
        if package.distribution in packages:
            raise ValueError(f"{lock_file.name} has {package.distribution} twice for the same target")
        packages[package.distribution] = package
    return list(packages.values())


def _package(lock_file: Path, requirement: Requirement, hashes: tuple[str, ...]) -> LockedPackage:
    pins = [one.version for one in requirement.specifier if one.operator == "=="]
    if len(pins) != 1 or not hashes:
        raise ValueError(f"{lock_file.name} has {requirement} without a pinned version and hashes")
    return LockedPackage(canonicalize_name(requirement.name), Version(pins[0]), hashes)
