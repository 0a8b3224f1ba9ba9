"""Packages for another machine: the wheels of a lock file, fetched for a target's Python and system.

The dependency layer and the batch program's wheels are both made from these. The result does not depend on the machine
that fetches them: the lock file's markers are evaluated for the target, and each file's hash is in the lock file.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import default_environment
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from components.blocks.compute.lock_file import LockedPackage, locked_packages

_OLDEST_GLIBC_MINOR = 17  # manylinux2014, the oldest platform that wheels are still built for
_PIP_SECONDS = 900  # some packages are hundreds of megabytes
_EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3  # zip files' number for the system that a file's permissions belong to


class WheelsError(Exception):
    """Wheels cannot be fetched; the message has pip's reasons."""


@dataclass(frozen=True)
class Target:
    """CPython on Linux, where packages will run.

    Attributes
    ----------
    python_version
        Major and minor version, such as `3.14`.
    machine
        Processor: `x86_64` or `aarch64`.
    glibc_minor
        The system's C library is glibc 2.`glibc_minor`.
    """

    python_version: str
    machine: str
    glibc_minor: int

    def __str__(self) -> str:
        return f"Python {self.python_version} on {self.machine}"

    def environment(self) -> dict[str, str]:
        """Values of environment markers; releases of Python count from their first one, `3.14.0`."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python_version}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python_version}.0",
            "python_version": self.python_version,
            "sys_platform": "linux",
        }

    def pip_options(self) -> list[str]:
        """Options that make pip choose among wheels for the target.

        All are explicit, because pip fills in what is missing from the interpreter that runs it.
        """
        abi = f"cp{self.python_version.replace('.', '')}"
        platforms = [f"manylinux_2_{minor}" for minor in range(self.glibc_minor, _OLDEST_GLIBC_MINOR - 1, -1)]
        return [
            *("--implementation", "cp", "--python-version", self.python_version, "--abi", abi),
            *(f"--platform={platform}_{self.machine}" for platform in [*platforms, "manylinux2014"]),
        ]


@dataclass(frozen=True)
class Host:
    """The deploying machine and its Python, where an embedded AWS runs functions."""

    def __str__(self) -> str:
        return f"{sys.implementation.cache_tag} on {sysconfig.get_platform()}"

    def environment(self) -> dict[str, str]:
        """Values of environment markers."""
        return {key: str(value) for key, value in default_environment().items()}

    def pip_options(self) -> list[str]:
        """No options: pip chooses for the interpreter that runs it."""
        return []


def fetch_wheels(lock_file: Path, target: Target | Host, folder: Path) -> Path:
    """Fetch the wheels of a lock file, or reuse wheels fetched before.

    Parameters
    ----------
    lock_file
        Requirements file with a pinned version and hashes per package.
    target
        Where the packages will run.
    folder
        Where wheels are kept, one folder per lock file and target.

    Returns
    -------
    A folder with exactly the wheels that the target needs. Their hashes are in the lock file; a folder with a missing,
    changed or additional file is fetched again.

    Raises
    ------
    WheelsError
        A package has no wheel for the target, or the package index cannot be reached.
    """
    packages = locked_packages(lock_file, target.environment())
    identity = "\n".join([str(target), *target.pip_options(), *(package.line() for package in packages)])
    wheels = folder / hashlib.sha256(identity.encode()).hexdigest()[:16]
    if wheels.exists() and not _mistakes(wheels, packages):
        return wheels
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        unfinished = Path(temporary) / "wheels"
        unfinished.mkdir()
        _download(lock_file, packages, target, unfinished)
        if mistakes := _mistakes(unfinished, packages):
            raise WheelsError(f"The wheels of {lock_file.name} for {target}: {'; '.join(mistakes)}")
        _put_in_place(unfinished, wheels, packages)
    return wheels


def _put_in_place(unfinished: Path, wheels: Path, packages: Sequence[LockedPackage]) -> None:
    """Move fetched wheels to their folder, unless another process has done so meanwhile and may be reading them."""
    try:
        unfinished.rename(wheels)
    except OSError:  # there is such a folder, and it is not empty
        if not wheels.is_dir():
            raise
        if _mistakes(wheels, packages):
            shutil.rmtree(wheels)
            unfinished.rename(wheels)


def zip_wheels(wheels: Path, prefix: str) -> bytes:
    """Make one zip file of the contents of wheels: the same wheels make the same bytes on every machine.

    Files are sorted, have no times or owners, and are not compressed, because compression differs between machines.

    Parameters
    ----------
    wheels
        Folder of wheels.
    prefix
        Folder inside the zip file, such as `python/`.
    """
    files: dict[str, tuple[bytes, int]] = {}
    for path in sorted(wheels.iterdir()):
        with zipfile.ZipFile(path) as wheel:
            for entry in wheel.infolist():
                if not entry.is_dir() and not _is_for_installers(entry.filename):
                    mode = 0o755 if (entry.external_attr >> 16) & 0o111 else 0o644
                    files[f"{prefix}{entry.filename}"] = (wheel.read(entry), mode)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for name in sorted(files):
            content, mode = files[name]
            entry = zipfile.ZipInfo(name, _EARLIEST_ZIP_TIME)
            entry.create_system = _UNIX
            entry.external_attr = mode << 16
            zipped.writestr(entry, content)
    return buffer.getvalue()


def _download(lock_file: Path, packages: Sequence[LockedPackage], target: Target | Host, wheels: Path) -> None:
    requirements = wheels.with_name("requirements.txt")
    requirements.write_text("".join(f"{package.line()}\n" for package in packages), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(wheels)]
    command += [*target.pip_options(), "--requirement", str(requirements)]
    about = f"The wheels of {lock_file.name} for {target}"
    try:
        done = subprocess.run(  # noqa: S603 - nothing in the command comes from outside the project
            command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise WheelsError(f"{about}: pip took longer than {_PIP_SECONDS} seconds") from error
    if done.returncode:
        raise WheelsError(f"{about}:\n{done.stderr.strip()}")


def _mistakes(wheels: Path, packages: Sequence[LockedPackage]) -> list[str]:
    """List what differs from one wheel per package with a hash of the lock file."""
    missing = {(package.distribution, package.version): package for package in packages}
    mistakes: list[str] = []
    for path in sorted(wheels.iterdir()):
        release = _release(path)
        package = missing.pop(release, None) if release else None
        if package is None:
            mistakes.append(f"{path.name} is not needed")
        elif _sha256(path) not in package.hashes:
            mistakes.append(f"{path.name} has a hash that the lock file does not have")
        elif _needs_an_installer(path):
            mistakes.append(f"{path.name} has files that only an installer can put in place")
    return mistakes + [f"{name} {version} is missing" for name, version in missing]


def _release(path: Path) -> tuple[str, Version] | None:
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return None
    return str(name), version


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _needs_an_installer(wheel: Path) -> bool:
    """Tell whether modules lie in a folder that an installer merges; unpacking a wheel leaves them there."""
    with zipfile.ZipFile(wheel) as opened:
        return any(".data/purelib/" in name or ".data/platlib/" in name for name in opened.namelist())


def _is_for_installers(name: str) -> bool:
    """Tell whether a file of a wheel is a script, whose first line an installer writes, or the list of files."""
    return ".data/" in name or name.endswith(".dist-info/RECORD")
