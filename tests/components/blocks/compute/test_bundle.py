"""Code bundles: exactly the files of a handler, the same every time."""

from __future__ import annotations

import py_compile
import shutil
from pathlib import Path

import pulumi
import pytest

from components.blocks.compute.bundle import ROOT, code_bundle
from local.deploy.creators.common import archive_bytes

MAX_BYTES = 100_000


def project_copy(folder: Path) -> Path:
    """The handlers, with what Python, tests and editors leave beside them."""
    handlers = folder / "handlers"
    shutil.copytree(ROOT / "handlers", handlers, ignore=shutil.ignore_patterns("__pycache__"))
    py_compile.compile(str(handlers / "sentiment" / "analyse.py"))
    (handlers / "sentiment" / "analyse.cpython-311.pyc").write_bytes(b"\0")
    (handlers / "sentiment" / "notes.txt").write_text("not code")
    (handlers / "common" / "logs.py~").write_text("an editor's copy")
    (handlers / "other").mkdir()
    (handlers / "other" / "other.py").write_text("a handler of its own")
    assert (handlers / "sentiment" / "__pycache__").is_dir()
    return folder


def names_and_paths(archive: pulumi.AssetArchive) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, asset in archive.assets.items():
        assert isinstance(asset, pulumi.FileAsset)
        named[name] = str(asset.path)
    return named


def test_bundle_holds_the_folders_code_and_what_is_shared_and_nothing_else(tmp_path: Path) -> None:
    bundle = names_and_paths(code_bundle("handlers/sentiment", project_copy(tmp_path)))
    expected = {"handlers/__init__.py"}
    for folder in ("handlers/common", "handlers/sentiment"):
        expected |= {f"{folder}/{path.name}" for path in (ROOT / folder).iterdir() if path.suffix == ".py"}
    assert set(bundle) == expected
    assert bundle == {name: str(tmp_path / name) for name in expected}
    assert {"handlers/sentiment/dispatch.py", "handlers/common/logs.py", "handlers/common/__init__.py"} <= expected


def test_bundle_is_sorted_and_the_same_every_time(tmp_path: Path) -> None:
    project = project_copy(tmp_path)
    first = code_bundle("handlers/sentiment", project)
    (project / "handlers" / "sentiment" / "analyse.py").touch()
    shutil.rmtree(project / "handlers" / "sentiment" / "__pycache__")
    second = code_bundle("handlers/sentiment", project)
    assert list(first.assets) == sorted(first.assets)
    assert names_and_paths(first) == names_and_paths(second)
    assert archive_bytes(first) == archive_bytes(second)
    assert archive_bytes(first) == archive_bytes(code_bundle("handlers/sentiment"))


def test_bundle_follows_changes_of_the_code(tmp_path: Path) -> None:
    project = project_copy(tmp_path)
    before = archive_bytes(code_bundle("handlers/sentiment", project))
    with (project / "handlers" / "common" / "logs.py").open("a") as file:
        file.write("# changed\n")
    assert archive_bytes(code_bundle("handlers/sentiment", project)) != before


def test_bundles_of_all_handlers_are_small() -> None:
    folders = [path for path in (ROOT / "handlers").iterdir() if any(path.glob("*.py")) and path.name != "common"]
    assert ROOT / "handlers" / "sentiment" in folders
    for folder in folders:
        paths = names_and_paths(code_bundle(f"handlers/{folder.name}")).values()
        assert sum(Path(path).stat().st_size for path in paths) < MAX_BYTES


@pytest.mark.parametrize("folder", ["handlers/nowhere", "docs"])
def test_folder_without_code_is_refused(folder: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"No Python files in {folder}"):
        code_bundle(folder, project_copy(tmp_path))


def test_folders_that_the_code_imports_from_come_along(tmp_path: Path) -> None:
    bundle = names_and_paths(code_bundle("handlers/sentiment", project_copy(tmp_path), ["handlers/other"]))
    assert bundle["handlers/other/other.py"] == str(tmp_path / "handlers" / "other" / "other.py")
    assert list(bundle) == sorted(bundle)
