"""BatchProgram: which files it holds, and that equal files are equal objects."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.blocks.private_bucket import PrivateBucket
from components.blocks.program import BatchProgram, content_hash, program_files
from tests.unit.pulumi_mocks import ROOT_FOLDER, SUFFIX, evaluate

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


def test_program_is_its_folders_and_its_entry_at_the_top(project: Path) -> None:
    files = program_files("handlers/batch/run.py", ["handlers/batch"], root=project)
    assert list(files) == [
        "handlers/__init__.py",
        "handlers/batch/__init__.py",
        "handlers/batch/deep/part.py",
        "handlers/batch/page.html",
        "handlers/batch/run.py",
        "run.py",
    ]
    assert files["run.py"] == files["handlers/batch/run.py"]


def test_wheels_lie_in_a_folder_of_their_own(project: Path) -> None:
    (project / "build").mkdir()
    (project / "build" / "small-1.0-py3-none-any.whl").write_text("wheel")
    files = program_files("handlers/batch/run.py", ["handlers/batch"], project / "build", project)
    assert [name for name in files if name.endswith(".whl")] == ["wheels/small-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("entry", "folder"), [("handlers/batch/no.py", "handlers/batch"), ("handlers/batch/run.py", "no")]
)
def test_what_is_not_there_is_named(entry: str, folder: str, project: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No file"):
        program_files(entry, [folder], root=project)


def test_hash_changes_with_content_and_names_and_nothing_else(project: Path, tmp_path_factory: Any) -> None:
    def hash_of(root: Path) -> str:
        return content_hash(program_files("handlers/batch/run.py", ["handlers/batch"], root=root))

    elsewhere = shutil.copytree(project, tmp_path_factory.mktemp("elsewhere"), dirs_exist_ok=True)
    assert hash_of(elsewhere) == hash_of(project)
    (elsewhere / "handlers/batch/page.html").write_text("changed")
    changed = hash_of(elsewhere)
    (elsewhere / "handlers/batch/page.html").rename(elsewhere / "handlers/batch/other.html")
    assert len({hash_of(project), changed, hash_of(elsewhere)}) == 3


def test_each_file_is_an_object_under_the_programs_hash() -> None:
    file = ROOT_FOLDER / "handlers" / "__init__.py"

    def build() -> str:
        return BatchProgram("program", PrivateBucket("files"), {"handlers/__init__.py": file, "run.py": file}).prefix

    evaluation = evaluate(build)
    prefix = evaluation.result
    assert evaluation.children(COMPONENT) == {OBJECT: 2}
    assert prefix == f"programs/{content_hash({'handlers/__init__.py': file, 'run.py': file})}/"
    made = evaluation.one(OBJECT, f"program-{prefix}run.py").inputs
    assert (made["bucket"], made["key"]) == (f"files{SUFFIX}", f"{prefix}run.py")
    assert isinstance(made["source"], pulumi.FileAsset)
    assert Path(made["source"].path) == file
