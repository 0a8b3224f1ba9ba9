"""Dependency layer: the functions' packages for Lambda's platform. The first tests need the package index."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.blocks.compute import layer, packages
from components.blocks.compute.bundle import ROOT
from components.blocks.compute.layer import build_layer, dependency_layer, lambda_target
from components.blocks.compute.packages import Host, Target
from tests.support.pulumi_mocks import evaluate
from tests.support.small_wheels import QuickPip, index, lock_file, quick_pip

__all__ = ["index", "lock_file", "quick_pip"]
REQUIREMENTS = ROOT / "requirements" / "layer.txt"
LAMBDA = ("python3.14", "arm64")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_layer(REQUIREMENTS, *LAMBDA, folder=tmp_path_factory.mktemp("build"))


def test_layer_holds_the_packages_for_lambdas_platform(built: Path) -> None:
    names = zipfile.ZipFile(built).namelist()
    compiled = [name for name in names if name.endswith(".so")]
    assert "python/msgspec/__init__.py" in names
    assert "python/pythonjsonlogger/__init__.py" in names
    assert "python/urllib3/__init__.py" in names
    assert [name for name in compiled if name.startswith("python/msgspec/")]
    assert all("cpython-314-aarch64-linux" in name for name in compiled)


def test_layer_has_no_scripts_and_nothing_compiled_by_this_machine(built: Path) -> None:
    names = zipfile.ZipFile(built).namelist()
    assert all(name.startswith("python/") for name in names)
    assert not [name for name in names if name.startswith("python/bin/") or "__pycache__" in name]
    assert names == sorted(names)


def test_layer_is_the_same_wherever_it_is_built(built: Path, tmp_path: Path) -> None:
    again = build_layer(REQUIREMENTS, *LAMBDA, folder=tmp_path / "elsewhere")
    assert again != built
    assert again.name == built.name
    assert again.read_bytes() == built.read_bytes()


def test_layer_and_its_wheels_are_used_again(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("pip was started though the wheels are there")

    monkeypatch.setattr(packages.subprocess, "run", refuse)
    written = built.stat().st_mtime_ns
    assert build_layer(REQUIREMENTS, *LAMBDA, folder=built.parents[1]) == built
    assert built.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["truncated", "edited", "missing"])
def test_damaged_layer_is_never_deployed(damage: str, quick_pip: QuickPip, lock_file: Path, tmp_path: Path) -> None:
    archive = build_layer(lock_file, *LAMBDA, folder=tmp_path)
    content = archive.read_bytes()
    if damage == "truncated":
        archive.write_bytes(content[:-10])
    elif damage == "edited":
        archive.write_bytes(content.replace(b"version", b"VERSION"))
    else:
        archive.unlink()
    assert build_layer(lock_file, *LAMBDA, folder=tmp_path) == archive
    assert archive.read_bytes() == content
    assert list(archive.parent.iterdir()) == [archive]


def test_layer_is_named_by_its_content_and_platform(quick_pip: QuickPip, lock_file: Path, tmp_path: Path) -> None:
    first = build_layer(lock_file, *LAMBDA, folder=tmp_path)
    digest = hashlib.sha256(first.read_bytes()).hexdigest()
    assert first.name == f"{digest[:16]}-python3.14-arm64.zip"
    lock_file.write_text(lock_file.read_text().partition("split==1.0")[0])
    smaller = build_layer(lock_file, *LAMBDA, folder=tmp_path)
    other = build_layer(lock_file, "python3.12", "x86_64", folder=tmp_path)
    assert len({first, smaller, other}) == 3


@pytest.mark.parametrize(
    ("runtime", "architecture", "machine", "glibc"),
    [
        ("python3.14", "arm64", "aarch64", 34),
        ("python3.12", "x86_64", "x86_64", 34),
        ("python3.11", "x86_64", "x86_64", 26),
    ],
)
def test_target_is_lambdas_platform(runtime: str, architecture: str, machine: str, glibc: int) -> None:
    target = lambda_target(runtime, architecture)
    assert target == Target(runtime.removeprefix("python"), machine, glibc)
    options = target.pip_options()
    platforms = [word.partition("=")[2] for word in options if word.startswith("--platform=")]
    assert platforms[0] == f"manylinux_2_{glibc}_{machine}"
    assert platforms[-2:] == [f"manylinux_2_17_{machine}", f"manylinux2014_{machine}"]
    assert options[options.index("--abi") + 1] == f"cp{target.python_version.replace('.', '')}"


def test_layer_for_this_machine_is_of_its_python_and_platform(
    lock_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    (tmp_path / "wheels").mkdir()
    monkeypatch.setattr(layer, "fetch_wheels", lambda _, target, folder: asked.append(target) or folder)
    build_layer(lock_file, *LAMBDA, for_host=True, folder=tmp_path)
    assert asked == [Host()]


def test_resource_says_what_the_layer_is_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layer, "build_layer", lambda *_: tmp_path / "layer.zip")
    runtime, architecture = LAMBDA
    evaluation = evaluate(
        lambda: (
            dependency_layer("handlers", requirements=REQUIREMENTS, runtime=runtime, architecture=architecture) and None
        )
    )
    inputs = dict(evaluation.one("aws:lambda/layerVersion:LayerVersion").inputs)
    code = inputs.pop("code")
    assert isinstance(code, pulumi.FileArchive)
    assert code.path == str(tmp_path / "layer.zip")
    assert inputs == {
        "layerName": "cloud-nlp-dev-handlers",
        "compatibleRuntimes": ["python3.14"],
        "compatibleArchitectures": ["arm64"],
    }
