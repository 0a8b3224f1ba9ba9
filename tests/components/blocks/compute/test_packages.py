"""Packages for another machine: the right wheels, verified, and the same bytes whoever fetches them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import packaging
import pytest

from components.blocks.compute import packages
from components.blocks.compute.bundle import ROOT
from components.blocks.compute.lock_file import locked_packages
from components.blocks.compute.packages import Host, Target, WheelsError, fetch_wheels, zip_wheels
from tests.support.small_wheels import Index, QuickPip, index, lock_file, quick_pip, write_lock_file

__all__ = ["index", "lock_file", "quick_pip"]
LAMBDA = Target("3.14", "aarch64", 34)
CONTAINER = Target("3.12", "x86_64", 35)
MAC = {"sys_platform": "darwin", "platform_system": "Darwin", "python_version": "3.9", "python_full_version": "3.9.6"}
FETCH = """
import hashlib, json, sys
from pathlib import Path
from components.blocks.compute.packages import Target, fetch_wheels, zip_wheels
lock_file, folder = map(Path, sys.argv[1:])
made = {}
for target in (Target("3.14", "aarch64", 34), Target("3.12", "x86_64", 35)):
    wheels = fetch_wheels(lock_file, target, folder)
    made[str(target)] = [wheels.name, *(path.name for path in sorted(wheels.iterdir()))]
    made[str(target)].append(hashlib.sha256(zip_wheels(wheels, "python/")).hexdigest())
print(json.dumps(made))
"""


@dataclass(frozen=True)
class PipHere:
    """Wheels that this Python's pip fetched, by target, and where they came from."""

    index: Index
    lock_file: Path
    wheels: dict[Target, Path]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def pip_here(tmp_path_factory: pytest.TempPathFactory) -> PipHere:
    """What this Python's pip fetches from an index; pip takes most of a second for each target."""
    folder = tmp_path_factory.mktemp("here")
    index = Index(folder / "index")
    lock_file = write_lock_file(index, folder / "small.txt")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in index.variables.items():
            patch.setenv(name, value)
        wheels = {target: fetch_wheels(lock_file, target, folder / "wheels") for target in (LAMBDA, CONTAINER)}
    return PipHere(index, lock_file, wheels)


def another_python() -> str | None:
    """The newest interpreter on this machine with pip and another version than the one of the tests."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [(int(path.parts[-3].split(".")[1]), str(path)) for path in pyenv.glob("3.[0-9]*.[0-9]*/bin/python3")]
    found += [(minor, path) for minor in range(11, 17) if (path := shutil.which(f"python3.{minor}"))]
    ask = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    for minor, python in sorted(found, reverse=True):
        if minor >= 11 and minor != sys.version_info.minor:
            done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
            if done.stdout.strip() == f"3.{minor}":
                return python
    return None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            LAMBDA,
            [
                "native-1.0-cp314-cp314-manylinux_2_28_aarch64.whl",
                "pure-1.0-py3-none-any.whl",
                "split-2.0-py3-none-any.whl",
            ],
        ),
        (
            CONTAINER,
            [
                "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
                "pure-1.0-py3-none-any.whl",
                "split-1.0-py3-none-any.whl",
            ],
        ),
    ],
)
def test_wheels_are_those_of_the_targets_python_and_system(
    target: Target, expected: list[str], pip_here: PipHere
) -> None:
    assert names(pip_here.wheels[target]) == expected
    assert names(pip_here.wheels[target].parent) == sorted(folder.name for folder in pip_here.wheels.values())


def test_deployers_python_and_system_do_not_matter(lock_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = locked_packages(lock_file, LAMBDA.environment())
    for deployer in (MAC, {**MAC, "sys_platform": "win32"}, {**MAC, "python_full_version": "3.14.0"}):
        monkeypatch.setattr("packaging.markers.default_environment", lambda deployer=deployer: deployer)
        assert locked_packages(lock_file, LAMBDA.environment()) == here
    assert [one.line().split()[0] for one in here] == ["native==1.0", "pure==1.0", "split==2.0"]


def test_target_answers_every_marker() -> None:
    assert LAMBDA.environment().keys() == Host().environment().keys()


def test_deployer_with_another_python_makes_the_same_bytes(pip_here: PipHere, tmp_path: Path) -> None:
    if not (python := another_python()):
        pytest.skip("there is no other Python with pip on this machine")
    library = tmp_path / "library"
    shutil.copytree(Path(packaging.__path__[0]), library / "packaging")
    variables = {**os.environ, **pip_here.index.variables, "PYTHONPATH": os.pathsep.join([str(ROOT), str(library)])}
    command = [python, "-c", FETCH, str(pip_here.lock_file), str(tmp_path / "wheels")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        str(target): [wheels.name, *names(wheels), hashlib.sha256(zip_wheels(wheels, "python/")).hexdigest()]
        for target, wheels in pip_here.wheels.items()
    }


def test_wheels_that_are_there_are_used_again(quick_pip: QuickPip, lock_file: Path, tmp_path: Path) -> None:
    first = fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels")
    assert fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels") == first
    assert quick_pip.calls == 1


def test_wheels_that_another_process_fetched_meanwhile_stay(
    quick_pip: QuickPip, lock_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[tuple[Path, int]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        done = quick_pip.run(command)
        if not others:
            others.append((Path(), 0))  # the other process asks pip too
            other = fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels")
            others[0] = (other, other.stat().st_ino)
        return done

    monkeypatch.setattr(packages.subprocess, "run", run)
    wheels = fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels")
    assert (wheels, wheels.stat().st_ino) == others[0], "the folder was replaced while the other may be reading it"
    assert names(tmp_path / "wheels") == [wheels.name]


@pytest.mark.parametrize("damage", ["truncated", "edited", "missing", "another release", "additional"])
def test_damaged_folder_is_fetched_again(
    damage: str, quick_pip: QuickPip, index: Index, lock_file: Path, tmp_path: Path
) -> None:
    wheels = fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels")
    good = {path.name: path.read_bytes() for path in wheels.iterdir()}
    wheel = wheels / "split-2.0-py3-none-any.whl"
    if damage == "truncated":
        wheel.write_bytes(good[wheel.name][:-10])
    elif damage == "edited":
        with zipfile.ZipFile(wheel, "a") as opened:
            opened.writestr("split/more.py", "")
    elif damage == "missing":
        wheel.unlink()
    elif damage == "another release":
        wheel.rename(wheels / "split-1.0-py3-none-any.whl")
    else:
        shutil.copy(index.folder / "windows-1.0-py3-none-any.whl", wheels)
    assert fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels") == wheels
    assert {path.name: path.read_bytes() for path in wheels.iterdir()} == good


def test_each_lock_file_and_target_has_a_folder_of_its_own(
    quick_pip: QuickPip, lock_file: Path, tmp_path: Path
) -> None:
    targets = [LAMBDA, CONTAINER, Target("3.12", "aarch64", 35), Target("3.12", "aarch64", 27)]
    folders = {fetch_wheels(lock_file, target, tmp_path / "wheels") for target in targets}
    lock_file.write_text(lock_file.read_text().partition("windows==")[0])
    assert fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels") in folders, "another platform's package changed it"
    lock_file.write_text(lock_file.read_text().partition("split==1.0")[0])
    folders.add(fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels"))
    assert len(folders) == 5


def test_zip_file_holds_modules_and_no_scripts(quick_pip: QuickPip, lock_file: Path, tmp_path: Path) -> None:
    (tmp_path / "layer.zip").write_bytes(zip_wheels(fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels"), "python/"))
    with zipfile.ZipFile(tmp_path / "layer.zip") as zipped:
        packed = [name for name in zipped.namelist() if "pure" in name]
        assert packed == [
            "python/pure-1.0.dist-info/METADATA",
            "python/pure-1.0.dist-info/WHEEL",
            "python/pure/__init__.py",
        ]
        assert zipped.namelist() == sorted(zipped.namelist())
        assert {(entry.date_time, entry.create_system, entry.compress_type) for entry in zipped.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 3, zipfile.ZIP_STORED)
        }


def test_host_takes_what_its_own_python_needs(lock_file: Path, tmp_path: Path) -> None:
    text = lock_file.read_text()
    lock_file.write_text(text[text.index("pure==") :])
    split = "split-1.0" if sys.version_info < (3, 13) else "split-2.0"
    wheels = fetch_wheels(lock_file, Host(), tmp_path / "wheels")
    assert names(wheels) == ["pure-1.0-py3-none-any.whl", f"{split}-py3-none-any.whl"]
    assert Host().pip_options() == []


def test_failure_has_pips_words_and_leaves_nothing(index: Index, lock_file: Path, tmp_path: Path) -> None:
    (index.folder / "split-2.0-py3-none-any.whl").unlink()
    with pytest.raises(WheelsError, match=r"small\.txt for Python 3\.14 on aarch64:\nERROR: [^\n]* split==2\.0"):
        fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels")
    assert names(tmp_path / "wheels") == []


def test_file_with_another_hash_is_refused(index: Index, lock_file: Path, tmp_path: Path) -> None:
    index.add("split", "2.0", files={"split/harm.py": ""})
    with pytest.raises(WheelsError, match="DO NOT MATCH THE HASHES"):
        fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels")


def test_slow_index_is_named(lock_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def expire(command: list[str], timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(packages.subprocess, "run", expire)
    with pytest.raises(WheelsError, match=r"small\.txt for Python 3\.14 on aarch64: pip took longer than 900 seconds"):
        fetch_wheels(lock_file, LAMBDA, tmp_path / "wheels")


def test_wheel_that_needs_an_installer_is_refused(quick_pip: QuickPip, index: Index, tmp_path: Path) -> None:
    digest = index.add("odd", "1.0", files={"odd-1.0.data/purelib/odd.py": ""})
    (tmp_path / "odd.txt").write_text(f"odd==1.0 --hash=sha256:{digest}\n")
    with pytest.raises(WheelsError, match=r"odd-1\.0-py3-none-any\.whl has files that only an installer"):
        fetch_wheels(tmp_path / "odd.txt", LAMBDA, tmp_path / "wheels")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a>=1.0 --hash=sha256:00\n", r"a\.txt has a>=1\.0 without a pinned version and hashes"),
        ("a==1.0\n", r"a\.txt has a==1\.0 without a pinned version and hashes"),
        ("a==1.0 --hash=sha256:00\na==2.0 --hash=sha256:11\n", r"a\.txt has a twice for the same target"),
    ],
)
def test_lock_file_that_does_not_lock_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        locked_packages(tmp_path / "a.txt", LAMBDA.environment())


@pytest.mark.parametrize("name", ["layer", "batch"])
def test_the_products_lock_files_are_read_in_full(name: str) -> None:
    target = {"layer": LAMBDA, "batch": CONTAINER}[name]
    listed = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    packages = locked_packages(ROOT / "requirements" / f"{name}.txt", target.environment())
    found = {package.distribution for package in packages}
    assert {line for line in listed if line and not line.startswith("#")} <= found
