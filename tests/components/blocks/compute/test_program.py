"""BatchProgram: which files it holds, and that equal files are equal objects."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from components.blocks.compute.program import BatchProgram, ProgramFiles, program_files
from components.blocks.storage.private_bucket import PrivateBucket
from tests.support.pulumi_mocks import SUFFIX, evaluate

COMPONENT = "cloud-nlp:blocks:BatchProgram"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (
        "handlers/__init__.py",
        "handlers/batch/__init__.py",
        "handlers/batch/run.py",
        "handlers/batch/deep/part.py",
        "handlers/batch/page.html",
        "handlers/batch/__pycache__/run.cpython-312.pyc",
        "handlers/other/secret.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_program_is_its_entry_and_its_folders(project: Path) -> None:
    files = program_files("handlers/batch/run.py", ["handlers/batch"], root=project)
    assert files.entry == project / "handlers/batch/run.py"
    assert list(files.sources) == [
        "handlers/__init__.py",
        "handlers/batch/__init__.py",
        "handlers/batch/deep/part.py",
        "handlers/batch/page.html",
        "handlers/batch/run.py",
    ]
    assert files.sources["handlers/batch/page.html"] == project / "handlers/batch/page.html"
    assert files.wheels == {}


def test_wheels_are_those_of_their_folder(project: Path) -> None:
    (project / "build").mkdir()
    wheels = [project / "build" / f"{name}-1.0-py3-none-any.whl" for name in ("large", "small")]
    for wheel in wheels:
        wheel.write_text("wheel")
    assert program_files("handlers/batch/run.py", ["handlers/batch"], project / "build", project).wheels == {
        f"wheels/{wheel.name}": wheel for wheel in wheels
    }


@pytest.mark.parametrize(
    ("entry", "folder"), [("handlers/batch/no.py", "handlers/batch"), ("handlers/batch/run.py", "no")]
)
def test_what_is_not_there_is_named(entry: str, folder: str, project: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No file"):
        program_files(entry, [folder], root=project)


def test_hash_changes_with_content_and_names_and_nothing_else(project: Path, tmp_path_factory: Any) -> None:
    def hash_of(root: Path) -> str:
        return program_files("handlers/batch/run.py", ["handlers/batch"], root=root).content_hash()

    elsewhere = shutil.copytree(project, tmp_path_factory.mktemp("elsewhere"), dirs_exist_ok=True)
    assert hash_of(elsewhere) == hash_of(project)
    (elsewhere / "handlers/batch/page.html").write_text("changed")
    changed = hash_of(elsewhere)
    (elsewhere / "handlers/batch/page.html").rename(elsewhere / "handlers/batch/other.html")
    assert len({hash_of(project), changed, hash_of(elsewhere)}) == 3


def test_hash_changes_with_wheels(project: Path) -> None:
    wheel = project / "small-1.0-py3-none-any.whl"
    wheel.write_text("wheel")
    files = program_files("handlers/batch/run.py", ["handlers/batch"], root=project)
    assert ProgramFiles(files.entry, files.sources, {"wheels/small.whl": wheel}).content_hash() != files.content_hash()


def test_entry_sources_and_wheels_are_objects_under_the_programs_hash(project: Path) -> None:
    wheel = project / "small-1.0-py3-none-any.whl"
    wheel.write_text("wheel")
    source = {"handlers/__init__.py": project / "handlers/__init__.py"}
    files = ProgramFiles(project / "handlers/batch/run.py", source, {f"wheels/{wheel.name}": wheel})
    evaluation = evaluate(lambda: BatchProgram("program", bucket=PrivateBucket("files"), files=files).prefix)
    prefix = evaluation.result
    assert evaluation.children(COMPONENT) == {OBJECT: 3}
    assert prefix == f"programs/{files.content_hash()}/"
    for file, path in (("run.py", files.entry), (f"wheels/{wheel.name}", wheel)):
        made = evaluation.one(OBJECT, f"program-{prefix}{file}").inputs
        assert (made["bucket"], made["key"]) == (f"files{SUFFIX}", f"{prefix}{file}")
        assert made["source"].path == str(path)
    archive = evaluation.one(OBJECT, f"program-{prefix}program.zip").inputs["source"]
    assert {name: asset.path for name, asset in archive.assets.items()} == {
        name: str(path) for name, path in source.items()
    }
