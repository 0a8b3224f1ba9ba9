"""BatchProgram: which files it holds, and that equal files are equal objects."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.blocks.compute.bundle import ROOT
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.workflow import program
from components.blocks.workflow.program import BatchProgram, ProgramFiles, program_files
from schema.jobs import IMPORTED_BY_NAME
from tests.support.batch_jobs import MACHINE, declare, definition_of
from tests.support.import_checks import import_alone, missing_modules
from tests.support.pulumi_mocks import SUFFIX, evaluate

COMPONENT = "cloud-nlp:blocks:BatchProgram"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
PROGRAM_ENTRY = "handlers/batch/run.py"
ENTRY = "handlers/batch/run.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "handlers/__init__.py": "",
        "handlers/batch/__init__.py": "",
        ENTRY: "def main():\n    from handlers.batch.deep import part\n",
        "handlers/batch/deep/__init__.py": "",
        "handlers/batch/deep/part.py": "import handlers.common.logs",
        "handlers/batch/unused.py": "",
        "handlers/common/__init__.py": "",
        "handlers/common/logs.py": "",
        "handlers/common/times.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "build" / "small-1.0-py3-none-any.whl"
    path.parent.mkdir()
    path.write_text("wheel")
    return path


def test_program_is_its_entry_and_what_that_imports(project: Path) -> None:
    files = program_files(ENTRY, root=project)
    assert files.entry == project / ENTRY
    assert files.sources == {
        name: project / name
        for name in (
            "handlers/__init__.py",
            "handlers/batch/__init__.py",
            "handlers/batch/deep/__init__.py",
            "handlers/batch/deep/part.py",
            "handlers/batch/run.py",
            "handlers/common/__init__.py",
            "handlers/common/logs.py",
        )
    }
    assert files.wheels == {}


def test_wheels_are_those_of_their_folder(project: Path, wheel: Path) -> None:
    (wheel.parent / "large-1.0-py3-none-any.whl").write_text("wheel")
    names = ["large-1.0-py3-none-any.whl", "small-1.0-py3-none-any.whl"]
    files = program_files(ENTRY, wheel.parent, project)
    assert list(files.wheels.items()) == [(name, wheel.parent / name) for name in names]


@pytest.mark.parametrize("entry", ["handlers/batch/no.py", "handlers/batch"])
def test_what_is_not_there_is_named(entry: str, project: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"No module {entry}"):
        program_files(entry, root=project)


def product_files(root: Path = ROOT) -> ProgramFiles:
    return program_files(PROGRAM_ENTRY, root=root, imported_by_name=IMPORTED_BY_NAME)


def test_the_products_program_has_every_module_of_its_folder() -> None:
    """Kinds of jobs, formats and engines are imported inside functions, by name, or entered in registries."""
    files = product_files()
    folder = {path.relative_to(ROOT).as_posix() for path in (ROOT / "handlers" / "batch").rglob("*.py")}
    assert folder <= set(files.sources)
    assert missing_modules(files.sources) == set()


def test_the_products_program_can_be_imported_from_its_archive_alone(tmp_path: Path) -> None:
    archive = tmp_path / "program.zip"
    files = product_files()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, path in files.sources.items():
            zipped.write(path, name)
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(tmp_path / "archive")
    unpacked = {name: tmp_path / "archive" / name for name in files.sources}
    assert import_alone(unpacked, tmp_path / "alone") == ""


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("handlers/batch/merge.py", True),
        ("handlers/common/logs.py", True),
        ("handlers/common/times.py", False),
        ("handlers/api/project_get.py", False),
    ],
)
def test_the_products_program_changes_with_what_it_imports_only(file: str, changes: bool, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "handlers", tmp_path / "handlers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "schema", tmp_path / "schema", ignore=shutil.ignore_patterns("__pycache__"))
    before = product_files(tmp_path).sources_hash()
    with (tmp_path / file).open("a") as opened:
        opened.write("# A comment.\n")
    assert (product_files(tmp_path).sources_hash() != before) == changes


def test_hash_changes_with_content_and_names_and_nothing_else(project: Path, tmp_path_factory: Any) -> None:
    elsewhere = shutil.copytree(project, tmp_path_factory.mktemp("elsewhere"), dirs_exist_ok=True)
    first = program_files(ENTRY, root=project)
    assert program_files(ENTRY, root=elsewhere).sources_hash() == first.sources_hash()
    (elsewhere / "handlers/batch/deep/part.py").write_text("import handlers.common.logs  # changed")
    changed = program_files(ENTRY, root=elsewhere)
    renamed = {name.replace("part", "other"): path for name, path in changed.sources.items()}
    others = [changed.sources_hash(), ProgramFiles(changed.entry, renamed).sources_hash()]
    assert len({first.sources_hash(), *others}) == 3


def test_sources_and_wheels_have_hashes_of_their_own(project: Path, wheel: Path) -> None:
    first = program_files(ENTRY, wheel.parent, project)
    hashes = first.sources_hash(), first.wheels_hash()
    (project / "handlers/common/logs.py").write_text("# A comment.")
    assert (first.sources_hash() != hashes[0], first.wheels_hash() != hashes[1]) == (True, False)
    hashes = first.sources_hash(), first.wheels_hash()
    wheel.write_text("another wheel")
    assert (first.sources_hash() != hashes[0], first.wheels_hash() != hashes[1]) == (False, True)


def test_entry_and_sources_are_objects_apart_from_wheels(project: Path, wheel: Path) -> None:
    source = {"handlers/__init__.py": project / "handlers/__init__.py"}
    files = ProgramFiles(project / ENTRY, source, {wheel.name: wheel})

    def build() -> list[str | None]:
        made = BatchProgram("program", bucket=PrivateBucket("files"), files=files)
        return [made.prefix, made.wheels_prefix]

    evaluation = evaluate(build)
    prefix, wheels_prefix = evaluation.result
    assert evaluation.children(COMPONENT) == {OBJECT: 3}
    assert prefix == f"programs/{files.sources_hash()}/"
    assert wheels_prefix == f"programs/wheels/{files.wheels_hash()}/"
    for key, path in ((f"{prefix}run.py", files.entry), (f"{wheels_prefix}{wheel.name}", wheel)):
        made = evaluation.one(OBJECT, f"program-{key}").inputs
        assert (made["bucket"], made["key"]) == (f"files{SUFFIX}", key)
        assert made["source"].path == str(path)
    archive = evaluation.one(OBJECT, f"program-{prefix}program.zip").inputs["source"]
    assert {name: asset.path for name, asset in archive.assets.items()} == {
        name: str(path) for name, path in source.items()
    }


def test_edited_source_uploads_no_wheel(project: Path, wheel: Path) -> None:
    def objects() -> dict[str, dict[str, Any]]:
        files = program_files(ENTRY, wheel.parent, project)
        evaluation = evaluate(lambda: BatchProgram("program", bucket=PrivateBucket("files"), files=files) and None)
        return {one.name: one.inputs for one in evaluation.of(OBJECT)}

    before = objects()
    (project / "handlers/common/logs.py").write_text("# A comment.")
    after = objects()
    assert sorted(name.rpartition("/")[2] for name in after.keys() - before.keys()) == ["program.zip", "run.py"]
    kept = after.keys() & before.keys()
    assert [name.rpartition("/")[2] for name in kept] == [wheel.name]
    assert all(before[name]["source"].path == after[name]["source"].path for name in kept)


def test_replaced_files_stay_for_executions_that_began_before(
    project: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, bool | None] = {}

    class Noting(program.aws.s3.BucketObjectv2):
        def __init__(self, name: str, *, opts: pulumi.ResourceOptions, **inputs: Any) -> None:
            kept[inputs["key"].rpartition("/")[2]] = opts.retain_on_delete
            super().__init__(name, opts=opts, **inputs)

    monkeypatch.setattr(program.aws.s3, "BucketObjectv2", Noting)
    files = program_files(ENTRY, wheel.parent, project)
    evaluate(lambda: BatchProgram("program", bucket=PrivateBucket("files"), files=files) and None)
    assert kept == {"run.py": True, "program.zip": True, wheel.name: True}


def test_job_reads_its_wheels_from_a_channel_of_their_own(project: Path, wheel: Path) -> None:
    files = program_files(ENTRY, wheel.parent, project)
    definition = definition_of(declare(files=files, instance_count=2))
    address = f"s3://files{SUFFIX}/programs/wheels/{files.wheels_hash()}/"
    assert definition["States"]["Prepare"]["Assign"]["wheels"] == address
    channel = "'InputName': 'wheels', 'S3Input': {'S3Uri': $wheels, 'LocalPath': '/opt/ml/processing/input/wheels'"
    for state in ("Process", "Merge"):
        assert channel in definition["States"][state]["Arguments"]["ProcessingInputs"]


def test_job_without_wheels_has_no_channel_for_them() -> None:
    assert "wheels" not in str(definition_of(declare(instance_count=2)))


def test_state_machine_waits_for_the_programs_objects(project: Path, wheel: Path) -> None:
    evaluation = declare(files=program_files(ENTRY, wheel.parent, project))
    objects = {one.name for one in evaluation.of(OBJECT)}
    assert len(objects) == 3
    assert objects - {one.name for one in evaluation.one(MACHINE).depends_on} == set()
