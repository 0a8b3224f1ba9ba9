"""Dependency layer: the functions' packages for Lambda's platform. The first tests need the package index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pulumi
import pytest

from components.blocks.compute import layer
from components.blocks.compute.bundle import ROOT
from components.blocks.compute.layer import LayerError, build_layer, dependency_layer
from tests.support.pulumi_mocks import evaluate

REQUIREMENTS = ROOT / "requirements" / "layer.txt"
LAMBDA = ("python3.14", "arm64")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_layer(REQUIREMENTS, *LAMBDA, folder=tmp_path_factory.mktemp("layers"))


class Pip:
    """Stands in for pip: notes its command, and installs a small package or fails."""

    def __init__(self, stderr: str = "") -> None:
        self.stderr = stderr
        self.commands: list[list[str]] = []

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        target = Path(command[command.index("--target") + 1])
        files = [
            "small.py",
            "bin/script",
            "__pycache__/small.pyc",
            "small.dist-info/RECORD",
            "small.dist-info/METADATA",
        ]
        for name in files:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(name)
        return subprocess.CompletedProcess(command, 1 if self.stderr else 0, "", self.stderr)


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    pip = Pip()
    monkeypatch.setattr(layer.subprocess, "run", pip.run)
    return pip


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    lock_file = tmp_path / "small.txt"
    lock_file.write_text("small==1.0 --hash=sha256:00\n")
    return lock_file


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
    assert names == [str(path) for path in sorted(map(PurePosixPath, names))]


def test_layer_is_the_same_wherever_it_is_built(built: Path, tmp_path: Path) -> None:
    again = build_layer(REQUIREMENTS, *LAMBDA, folder=tmp_path / "elsewhere")
    assert again != built
    assert again.name == built.name
    assert again.read_bytes() == built.read_bytes()


def test_layer_that_is_there_is_used_again(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("pip was started though the layer is there")

    monkeypatch.setattr(layer.subprocess, "run", refuse)
    assert build_layer(REQUIREMENTS, *LAMBDA, folder=built.parent) == built


def test_only_the_layers_files_are_packed_and_nothing_else_is_left(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    archive = build_layer(lock_file, *LAMBDA, folder=folder)
    assert zipfile.ZipFile(archive).namelist() == ["python/small.dist-info/METADATA", "python/small.py"]
    assert list(folder.iterdir()) == [archive]


def test_each_platform_and_each_lock_file_has_a_layer_of_its_own(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    def build(*arguments: Any) -> Path:
        return build_layer(lock_file, *arguments, folder=tmp_path / "layers")

    archives = {build("python3.14", "arm64"), build("python3.13", "arm64"), build("python3.14", "x86_64")}
    lock_file.write_text("small==1.1 --hash=sha256:11\n")
    archives.add(build("python3.14", "arm64"))
    assert len(archives) == len(pip.commands) == 4


@pytest.mark.parametrize(
    ("runtime", "architecture", "machine", "newest"),
    [
        ("python3.14", "arm64", "aarch64", "manylinux_2_34"),
        ("python3.12", "x86_64", "x86_64", "manylinux_2_34"),
        ("python3.11", "x86_64", "x86_64", "manylinux_2_26"),
    ],
)
def test_pip_is_asked_for_pinned_wheels_of_the_platform(
    runtime: str, architecture: str, machine: str, newest: str, pip: Pip, lock_file: Path, tmp_path: Path
) -> None:
    build_layer(lock_file, runtime, architecture, folder=tmp_path / "layers")
    (command,) = pip.commands
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert {"--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:"} <= set(command)
    assert command[command.index("--python-version") + 1] == runtime.removeprefix("python")
    platforms = [word.partition("=")[2] for word in command if word.startswith("--platform=")]
    assert f"manylinux2014_{machine}" in platforms
    assert platforms[-1] == f"{newest}_{machine}"
    assert command[-2:] == ["--requirement", str(lock_file)]


def test_layer_for_this_machine_is_of_its_python_and_platform(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    build_layer(lock_file, *LAMBDA, for_host=True, folder=tmp_path / "layers")
    (command,) = pip.commands
    assert not [word for word in command if word.startswith(("--platform", "--python-version", "--implementation"))]


def test_failure_has_pips_words_and_leaves_nothing(pip: Pip, lock_file: Path, tmp_path: Path) -> None:
    pip.stderr = "ERROR: No matching distribution found for small==1.0"
    with pytest.raises(LayerError, match=r"small\.txt for python3\.14 on arm64:\nERROR: No matching distribution"):
        build_layer(lock_file, *LAMBDA, folder=tmp_path / "layers")
    assert list((tmp_path / "layers").iterdir()) == []


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
